import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';
import { makeQueryClient } from './app/query';
import { makeRouter } from './app/router';
import { I18nProvider } from './i18n';
import { Notes } from './ui';
import { KeyboardListener } from './ui/keys';
import './ui/tokens.css';
import './ui/ui.css';
import './app/shell.css';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <I18nProvider>
        <QueryClientProvider client={makeQueryClient()}>
          <Notes>
            <KeyboardListener />
            <RouterProvider router={makeRouter()} />
          </Notes>
        </QueryClientProvider>
      </I18nProvider>
    </StrictMode>,
  );
}
