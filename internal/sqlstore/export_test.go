package sqlstore

// DBError shows tests how driver errors are classified.
func DBError(err error) error { return dbError(err) }
