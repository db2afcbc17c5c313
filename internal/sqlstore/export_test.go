package sqlstore

import "errors"

// What the tests look at from inside.
var (
	// DBError, CommitError and RefusedData show how errors are classified.
	DBError     = dbError
	CommitError = commitError
	RefusedData = refusedData
	Repeatable  = repeatable
)

// IsUnknownCommit says that the error is a commit whose answer was lost.
func IsUnknownCommit(err error) bool { return errors.Is(err, errUnknownCommit) }

// MySQLDoubts is what the settings of a server leave to be desired.
func MySQLDoubts(version string, settings map[string]string) []string {
	return mysqlDialect{}.doubts(version, settings)
}
