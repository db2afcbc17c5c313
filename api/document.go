package api

import (
	"bytes"
	_ "embed"
)

//go:embed openapi.yaml
var document []byte

// Document returns the OpenAPI document as YAML. Each caller gets its own copy.
func Document() []byte {
	return bytes.Clone(document)
}
