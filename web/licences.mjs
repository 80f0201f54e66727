// Writes licences.json: what the licence files say of the packages that the app is built of. `make licences` reads it, so
// that the notices of the program are checked without Node. Run it in web/ after `npm ci`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const built = Object.entries(lock.packages)
  .filter(([path, { dev, devOptional, optional }]) => path !== '' && !dev && !devOptional && !optional)
  .filter(([path]) => !path.includes('node_modules/@types/')); // types leave nothing in the app

const licenceFile = /^(un)?(licen[cs]e|copying|notice)([.-].*)?$/i;

const packages = built.map(([path, { version }]) => {
  const files = readdirSync(path)
    .filter((file) => licenceFile.test(file))
    .sort();
  return {
    name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version,
    files: files.map((file) => ({ name: file, text: readFileSync(`${path}/${file}`, 'utf8') })),
  };
});

packages.sort((a, b) => (a.name < b.name ? -1 : 1));
writeFileSync('licences.json', `${JSON.stringify(packages, null, 2)}\n`);
