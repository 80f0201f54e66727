/** Words of the area signin. */
export const signin = {
  'signin.title': 'Sign in',
  'signin.titleFor': 'Sign in as {user}',
  'signin.token': 'Token',
  'signin.tokenMissing': 'Enter a token.',
  'signin.wrong': 'This token does not count: it is wrong, has expired or was taken back.',
  'signin.hint': 'Use a token of yours, or open a one-time sign-in link. On the server itself {command} makes a token.',
  'signin.fresh':
    'Nobody can sign in to this server yet. It wrote a one-time sign-in link when it started: open that one.',
  'signin.first': 'This link makes you an administrator of this server.',
  'signin.name': 'Your user name',
  'signin.nameMissing': 'Enter the name that you want to have here.',
  'signin.once': 'The link works once: the button uses it.',
  'signin.spent': 'This link does not work any more',
  'signin.spent.text': 'A sign-in link works once, and not for long. This one was used already or has expired.',
  'signin.withToken': 'Sign in with a token',
  'signin.out': 'Signing out…',
  'signin.outFailed': 'You are still signed in.',
} as const;
