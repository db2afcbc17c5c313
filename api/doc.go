// Package api holds the HTTP contract: openapi.yaml, which is the source, and the wire structs that are generated
// from it. It decides nothing and imports the standard library only, so that edges, clients and tests can share it.
//
// To change the contract, edit openapi.yaml, run "go generate ./api", and commit both files. The tests of this package
// hold the document against itself (examples, problems, bounds, operators' calls) and against the structs.
//
// What the structs cannot say:
//
//   - A list is never null: Data, Items and Findings must be made before they are encoded.
//   - Times are answered in UTC: call UTC() on what comes from elsewhere.
//   - An optional field is left out when it is zero. Pointers stand where zero and absent differ: Available (0 is sold
//     out, nil is not known), ItemStats.Redis and SaleStats.Queue (nil: cannot be asked), the scalars of SalePatch, and
//     NewItem.PriceMinor, which is required, but whose absence must not read as a price of 0.
//   - A required number that is missing decodes as 0; the bounds of the document (quantity, allotment, limit at least 1)
//     refuse that.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config oapi-codegen.yaml openapi.yaml
