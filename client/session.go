package client

// Session tells how the caller stands to the server before it is known whether there is a user. It is for browsers; other
// programs send their token with each request and ask for [Me].
type Session struct {
	User     string `json:"user,omitempty" doc:"Absent: nobody is signed in"`
	Admin    bool   `json:"admin,omitempty"`
	Fresh    bool   `json:"fresh" doc:"Nobody can administer the server yet: the link that it printed at its start makes the first administrator"`
	TimeZone string `json:"time_zone" doc:"Of the server"`
}

// SignIn opens a session, by a token or by a sign-in link.
type SignIn struct {
	Token string `json:"token,omitempty" maxLength:"4096" doc:"Of a user"`
	Link  string `json:"link,omitempty" maxLength:"4096" doc:"The last part of the address of a sign-in link, which is used up"`
	Name  string `json:"name,omitempty" maxLength:"128" doc:"Of the administrator whom a link without a user makes"`
}

// SignInLink names a sign-in link.
type SignInLink struct {
	Link string `json:"link" minLength:"1" maxLength:"4096" doc:"The last part of its address"`
}

// SignInLinkUser is whom a sign-in link is for.
type SignInLinkUser struct {
	User  string `json:"user,omitempty" doc:"Absent: whoever uses it becomes an administrator and has to say a name"`
	Fresh bool   `json:"fresh" doc:"Nobody can administer the server yet"`
}
