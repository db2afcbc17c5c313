package testenv

// What the tests look at from outside.
var (
	Ask          = ask
	StartProcess = startProcess
)
