package builtin

// TimeLimitOf is for tests: nobody wants to wait for a minute.
var TimeLimitOf = timeLimitOf
