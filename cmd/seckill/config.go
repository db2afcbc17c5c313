package main

type configCommand struct {
	Print configPrintCommand `cmd:"" help:"Print every setting as YAML; secrets are redacted."`
}

type configPrintCommand struct{}

// Run implements the command.
func (configPrintCommand) Run(cli *commands, console console) error {
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	return config.Print(console.out)
}
