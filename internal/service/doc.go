// Package service holds the use-cases: who may do what, in which order it is checked, and what is one transaction.
//
// A caller is made by [Service.Authenticate] only, and a project can be touched only through an [Access] made by
// [Service.Access], so that no task, template or node is ever reached by a bare number. Every method that works on a
// project checks its own permission; a thing of another project answers exactly like one that does not exist.
//
// Wire keys, HTTP and SQL are unknown here: the package imports engine, status, flow, store, plugin and the vocabulary.
package service
