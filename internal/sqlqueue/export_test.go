package sqlqueue

import "database/sql"

// Writer is the one connection that writes.
func (q *Queue) Writer() *sql.DB { return q.file.write }
