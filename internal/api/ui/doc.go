// Package ui serves the browser app: its page under every address at which the app has a screen, and the files that the page
// loads.
//
// Invariants: it serves what it was given at its start and nothing from elsewhere; the page loads and asks nothing but this
// server, and its Content-Security-Policy says so. The addresses are those that answers of the API give as `url`. What is
// served holds no data: the app asks the native API for that, as the user who is signed in.
// The package imports api only; it knows neither users nor tasks.
package ui
