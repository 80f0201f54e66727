package store

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/store/pgtest"
)

// contract are the tests of what a store does on SQLite and on PostgreSQL alike. They run on SQLite as what they are, and
// on PostgreSQL below [TestPostgres].
var contract = map[string]func(*testing.T){
	"Child_is_found_by_the_attempt_that_made_it":          TestChild_is_found_by_the_attempt_that_made_it,
	"Child_is_made_once_and_only_of_an_attempt_that_runs": TestChild_is_made_once_and_only_of_an_attempt_that_runs,
	"Tells_are_found_in_their_order_beside_callbacks":     TestTells_are_found_in_their_order_beside_callbacks,
	"Tells_wake_the_parent_at_the_next_start":             TestTells_wake_the_parent_at_the_next_start,
	"Tells_of_a_step_that_is_stale_are_not_stored":        TestTells_of_a_step_that_is_stale_are_not_stored,
	"Tells_to_a_task_that_is_over_are_dropped":            TestTells_to_a_task_that_is_over_are_dropped,
	"Tells_of_the_first_step_are_stored_with_the_child":   TestTells_of_the_first_step_are_stored_with_the_child,
	"LoadIdentity": TestLoadIdentity,
	"DistrustApp_of_all_ends_single_projects_too": TestDistrustApp_of_all_ends_single_projects_too,
	"Identity_refusals":                           TestIdentity_refusals,
	"Sessions":                                    TestSessions,
	"Sessions_end_with_their_token":               TestSessions_end_with_their_token,
	"UseLoginLink_once":                           TestUseLoginLink_once,
	"UseLoginLink_refused":                        TestUseLoginLink_refused,
	"Task_without_inputs_is_damaged":              TestTask_without_inputs_is_damaged,
	"NodeLog_tail":                                TestNodeLog_tail,
	"NodeLog_begins_at_a_line":                    TestNodeLog_begins_at_a_line,
	"OtherRequest":                                TestOtherRequest,
	"NodeLog_pages":                               TestNodeLog_pages,
	"AppendLogs_puts_small_pieces_together":       TestAppendLogs_puts_small_pieces_together,
	"AppendLogs_cuts_at_the_limit":                TestAppendLogs_cuts_at_the_limit,
	"NodeLog_attempts":                            TestNodeLog_attempts,
	"AppendLogs_cuts_at_the_limit_that_was_set":   TestAppendLogs_cuts_at_the_limit_that_was_set,
	"AppendLogs_beside_a_damaged_one":             TestAppendLogs_beside_a_damaged_one,
	"NodeLog_times":                               TestNodeLog_times,
	"HearLog":                                     TestHearLog,
	"Node":                                        TestNode,
	"Attempts_and_variables_need_the_project":     TestAttempts_and_variables_need_the_project,
	"CallbackTimes":                               TestCallbackTimes,
	"Transitions_pages":                           TestTransitions_pages,
	"Events_pages":                                TestEvents_pages,
	"AskedEvents_look_through_a_part":             TestAskedEvents_look_through_a_part,
	"Failures":                                    TestFailures,
	"Projects":                                    TestProjects,
	"RegisterProject":                             TestRegisterProject,
	"KeyWithTask":                                 TestKeyWithTask,
	"KeyWithChange":                               TestKeyWithChange,
	"KeysOfOthers":                                TestKeysOfOthers,
	"Finished":                                    TestFinished,
	"Statuses_unchanged":                          TestStatuses_unchanged,
	"Schemes":                                     TestSchemes,
	"Schemes_not_found":                           TestSchemes_not_found,
	"Commit_stores_all_of_a_change":               TestCommit_stores_all_of_a_change,
	"Commit_gives_constants_and_variables_other_values": TestCommit_gives_constants_and_variables_other_values,
	"Commit_stale": TestCommit_stale,
	"Commit_error_stores_nothing_of_the_batch":              TestCommit_error_stores_nothing_of_the_batch,
	"Commit_keeps_attempts":                                 TestCommit_keeps_attempts,
	"Commit_removes_dead_forks_and_decided_callbacks":       TestCommit_removes_dead_forks_and_decided_callbacks,
	"Commit_agrees_with_model":                              TestCommit_agrees_with_model,
	"StatusScan_reads_the_same_rows":                        TestStatusScan_reads_the_same_rows,
	"Statuses_cut":                                          TestStatuses_cut,
	"Statuses_updated":                                      TestStatuses_updated,
	"Statuses_run":                                          TestStatuses_run,
	"Statuses_which_tasks":                                  TestStatuses_which_tasks,
	"Statuses_nodes":                                        TestStatuses_nodes,
	"Statuses_unreadable_tree_spoils_its_tasks_only":        TestStatuses_unreadable_tree_spoils_its_tasks_only,
	"Statuses_show_one_moment":                              TestStatuses_show_one_moment,
	"Write_rolls_back_after_a_panic":                        TestWrite_rolls_back_after_a_panic,
	"Read_ends_when_it_takes_too_long":                      TestRead_ends_when_it_takes_too_long,
	"Now_has_microseconds_of_UTC":                           TestNow_has_microseconds_of_UTC,
	"Lists":                                                 TestLists,
	"Lists_find_what_matches":                               TestLists_find_what_matches,
	"CreateTask_gives_back_what_was_stored":                 TestCreateTask_gives_back_what_was_stored,
	"CreateTask_stores_a_tree_once":                         TestCreateTask_stores_a_tree_once,
	"CreateTask_with_start":                                 TestCreateTask_with_start,
	"CreateTask_that_cannot_start_is_not_stored":            TestCreateTask_that_cannot_start_is_not_stored,
	"Task_not_found":                                        TestTask_not_found,
	"DeleteTask_raises_the_revision_once":                   TestDeleteTask_raises_the_revision_once,
	"DeleteTask_leaves_what_runs":                           TestDeleteTask_leaves_what_runs,
	"Live":                                                  TestLive,
	"ReservedIDsAreNotGivenTwice":                           TestReservedIDsAreNotGivenTwice,
	"ImportIsOneTransaction":                                TestImportIsOneTransaction,
	"SchemesOfAnImport":                                     TestSchemesOfAnImport,
	"Template_versions":                                     TestTemplate_versions,
	"Template_not_found":                                    TestTemplate_not_found,
	"Templates":                                             TestTemplates,
	"Archive_keeps_how_tasks_stand_and_nothing_else":        TestArchive_keeps_how_tasks_stand_and_nothing_else,
	"Archive_leaves_alone_what_is_young_or_may_go_on":       TestArchive_leaves_alone_what_is_young_or_may_go_on,
	"Archive_tells_what_is_gone":                            TestArchive_tells_what_is_gone,
	"Archive_makes_steps_stale":                             TestArchive_makes_steps_stale,
	"Archive_of_a_task_that_changed_meanwhile":              TestArchive_of_a_task_that_changed_meanwhile,
	"Archive_by_many_at_the_same_time_while_tasks_are_read": TestArchive_by_many_at_the_same_time_while_tasks_are_read,
	"Archive_of_a_record_that_is_damaged":                   TestArchive_of_a_record_that_is_damaged,
	"Changes_tell_all_that_raises_a_revision":               TestChanges_tell_all_that_raises_a_revision,
	"TaskRevisions":                                         TestTaskRevisions,
}

// onlySQLite are tests that use setup and are about SQLite alone, and why.
var onlySQLite = map[string]string{
	"Open_settings":                          "PRAGMAs",
	"Driver_is_the_only_process":             "one process has it open",
	"Schema_golden":                          "the schema",
	"Write_waits_no_longer_than_its_context": "the turn of the one writer",
	"Commit_later_epoch_takes_over":          "an epoch is the number of a start",
	"Revisions_all_writes":                   "what is known without asking",
	"Archive_knows_all_tables":               "the schema",
	"Archive_that_fails_leaves_tasks_whole":  "a trigger that refuses",
	"Archive_of_very_many":                   "statements that make the tasks",
	"Archive_gives_back_what_was_packed":     "no database",
}

// TestPostgres runs the contract on PostgreSQL.
func TestPostgres(t *testing.T) {
	t.Parallel()
	for name, test := range contract {
		t.Run(name, test)
	}
}

const postgresTests = "TestPostgres"

// onPostgres reports whether a test is one of the contract on PostgreSQL, or is about PostgreSQL alone.
func onPostgres(t testing.TB) bool { return strings.HasPrefix(t.Name(), postgresTests) }

// emptyDatabase makes a migrated database for a test.
func emptyDatabase(t testing.TB) (url string) {
	t.Helper()
	return pgtest.Shared(t).Database(t, "store", migrateQuietly)
}

func migrateQuietly(ctx context.Context, url string) error {
	return MigratePostgres(ctx, url, slog.New(slog.DiscardHandler))
}

// A test that opens a store by setup is of the contract, or says why it is not.
func TestContract_is_complete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") || !callsSetup(f) {
				continue
			}
			name := strings.TrimPrefix(f.Name.Name, "Test")
			if contract[name] == nil && onlySQLite[name] == "" && !strings.HasPrefix(name, "Postgres") {
				t.Errorf("%s: %s is neither in the contract nor among the tests of SQLite alone", file, f.Name.Name)
			}
		}
	}
}

func callsSetup(f *ast.FuncDecl) (calls bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if name, ok := c.Fun.(*ast.Ident); ok && name.Name == "setup" {
				calls = true
			}
		}
		return !calls
	})
	return calls
}
