package app

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

const yamlIndent = 2

// Print writes the settings in force as a YAML file; secrets are redacted.
func (c *Config) Print(w io.Writer) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(yamlIndent)
	if err := encoder.Encode(c); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	return encoder.Close()
}
