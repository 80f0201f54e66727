// Package v1 is the native API: /api/v1 and its description at /openapi.json. Command line and pages of our own speak it.
//
// Invariant: every route says what its caller needs, and is added through [add] or [addIn], which check it; a refusal is a
// problem document with a code; a write that only a cookie authorises comes from a page of this server. The wire types
// are those of package client, so that both sides share one declaration. Apart from it the package imports service, api
// and the vocabulary; it knows neither engine nor store.
package v1
