package sops

// choice is one of the words for a field, with what people are shown.
type choice struct{ code, name string }

// categories are the known words for what a task is about; fast_create_task ignores any other.
var categories = []choice{
	{"OpsTools", "Operation tools"},
	{"MonitorAlarm", "Monitoring"},
	{"ConfManage", "Configuration"},
	{"DevTools", "Development tools"},
	{"EnterpriseIT", "Enterprise IT"},
	{"OfficeApp", "Office applications"},
	{"Other", "Other"},
	{"Default", "Default"},
}

// createMethods are the ways in which bk-sops knows tasks to be created.
var createMethods = []choice{
	{"app", "By hand"},
	{"api", "By the API"},
	{"app_maker", "By a mini app"},
	{"periodic", "Periodically"},
	{"clocked", "At a set time"},
	{"mobile", "By phone"},
	{"mcp", "By an agent"},
}

// flowTypes are the ways in which tasks are started.
var flowTypes = []choice{{"common", "Common"}, {"common_func", "Claimed by somebody"}}

// nameOf gives what people are shown of a word: an unknown one itself.
func nameOf(choices []choice, code string) string {
	for _, c := range choices {
		if c.code == code {
			return c.name
		}
	}
	return code
}

func isCategory(code string) bool {
	for _, c := range categories {
		if c.code == code {
			return true
		}
	}
	return false
}
