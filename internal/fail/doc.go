// Package fail names the places at which a crash hurts most, so that a test can let the server die exactly there.
//
// A program built without the tag faults has none of this: [Point] does nothing, [On] is false, and the compiler leaves
// both out; [Wall] is the clock of the machine. Built with it, the environment says what happens:
//
//	STDOPS_FAULTS="commit.after@3,engine.answer-early"
//
// lets the process kill itself when it passes the point commit.after for the third time (the first, when no number is
// given), and switches on what On is asked about. A killed process runs no clean-up, as after kill -9.
//
// A second variable, STDOPS_FAULTS_CLOCK, names a file that holds by how much [Wall] is off, such as "-1h". It is read each
// time, so that a test can set the clock of a server that runs.
//
// The package imports nothing of ours.
package fail
