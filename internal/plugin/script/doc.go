// Package script is the plugin shell_script: it runs scripts of flows on the host of the server.
//
// A script runs under a guard, a process of this same program (stdops exec-shim), which is the parent of whatever the
// script starts. The guard ends all of it when the script has ended, when it is told to, and when the pipe to the server
// closes, as it does when the server is killed. What a script leaves in the background, in whichever group or session, ends
// with it: the kernel hands orphans to the guard, and the guard goes only when it has no child any more.
// Where the server may make control groups, a script has one, which ends with it too.
//
// The package runs on Linux; elsewhere it compiles and refuses. It must not import engine, store or anything above.
package script
