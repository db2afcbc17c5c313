package server

import (
	"context"
	"fmt"
	"time"
)

// OpenMariaDBPair starts a server and another one that copies all of it, each change that much later.
func OpenMariaDBPair(ctx context.Context, delay time.Duration) (primary, replica *MariaDB, err error) {
	primary, err = OpenMariaDB(ctx, Options{})
	if err != nil {
		return nil, nil, err
	}
	replica, err = openMariaDB(ctx, Options{}, "--server-id=2", "--relay-log=relay")
	if err == nil {
		err = replica.copyFrom(ctx, primary, delay)
	}
	if err != nil {
		primary.Close()
		if replica != nil {
			replica.Close()
		}
		return nil, nil, err
	}
	return primary, replica, nil
}

// copyFrom begins at the primary's first change: nobody has removed any of them yet.
func (m *MariaDB) copyFrom(ctx context.Context, primary *MariaDB, delay time.Duration) error {
	for _, statement := range []string{
		fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = %d, MASTER_USER = '%s', MASTER_PASSWORD = '%s',"+
			" MASTER_USE_GTID = slave_pos, MASTER_DELAY = %d",
			primary.id.Port, mariadbUser, primary.id.Password, int(delay.Seconds())),
		"START SLAVE",
	} {
		if err := AskMariaDB(ctx, m.DSN(), statement); err != nil {
			return err
		}
	}
	return nil
}
