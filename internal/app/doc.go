// Package app is the composition root: the only place that knows all parts. It reads the configuration, opens one
// backend, and builds the roles on its ports. Nothing here decides anything about a sale.
//
//	config -> backend (embedded) -> roles (api, worker, keeper) -> service.Run
//
// The embedded backend is one process with one shard: Redis inside the process (it dies with it), one SQLite file for
// tables and queue. A start therefore always ends the epochs that were open: they are sealed as already closed, drained
// and loaded again before anything sells. One purchase service stands behind the listener (a second one in the same
// process would only halve the batches); workers and keepers run twice, because nothing may depend on being alone.
package app
