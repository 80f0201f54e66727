/** The addresses of the screens, within the app. */
export const paths = {
  projects: () => '/',
  tasks: (project: number | string) => `/taskflow/home/list/${project}/`,
  task: (project: number | string, task: number | string) => `/taskflow/execute/${project}/?instance_id=${task}`,
  board: (project: number | string, ids?: readonly number[]) =>
    ids && ids.length > 0 ? `/board/${project}/?ids=${ids.join(',')}` : `/board/${project}/`,
  start: (project: number | string, flow?: number) =>
    flow === undefined ? `/start/${project}/` : `/start/${project}/?flow=${flow}`,
  login: (next?: string) => (next && next !== '/' ? `/login?${new URLSearchParams({ next })}` : '/login'),
  logout: () => '/logout',
};

/** Where the router of an app begins that is served below the address of `base`. */
export function basename(base: string): string {
  return new URL(base).pathname.replace(/\/[^/]*$/, '') || '/';
}

/** Where to go after signing in: a place in the app, never another site. */
export function safeNext(next: string | null): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/';
  return /^\/log(in|out)\b/.test(next) ? '/' : next;
}
