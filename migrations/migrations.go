// Package migrations holds the schema of every dialect as goose migrations. A migration works with the code before and
// after it. Ids are made by the application; there are no foreign keys, triggers or server-side defaults of substance,
// so that MySQL 8, MariaDB, TiDB, Vitess and SQLite share one schema. Times are BIGINT Unix milliseconds (UTC), written
// from the database's clock: no session time zone can bend them, and both dialects compare them as numbers.
package migrations

import "embed"

// SQLite is the schema of the embedded mode: every table in one file, but for the queue's.
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// Queue is the schema of the embedded queue's own SQLite file.
//
//go:embed queue/*.sql
var Queue embed.FS

// MySQL is the schema of one shard on MySQL 8.0.16+, MariaDB 10.11+, TiDB or Vitess: a twin of SQLite's; the queue is
// RabbitMQ's there. These servers commit every change of the schema by itself, so each statement can be repeated:
// a migration that was cut off begins again. One statement makes one table with all its keys; a later change is one
// statement that looks first.
//
//go:embed mysql/*.sql
var MySQL embed.FS
