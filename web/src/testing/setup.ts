import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

// A busy machine takes longer than the second that is waited for what is looked for.
configure({ asyncUtilTimeout: 10_000 });

// What jsdom does not have of dialogs: enough of it for their content.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
  this.open = false;
};
