package main

type crowdCommand struct{}

// Run implements the command.
func (crowdCommand) Run() error { return nil }
