// Package sops speaks the HTTP API of bk-sops: the endpoints of docs/spec/api.md 4.0 in four address families, with
// their parameters, order of checks, texts and answers.
//
// One table (endpoints.go) knows every endpoint, those that the server does not offer included. A handler decodes its
// request once into typed values, calls one use-case of package service and writes one answer; wire keys are known
// nowhere else. Package service decides who may do what; nothing here touches engine or store.
package sops
