// Package fleet runs the distributed system on one machine: Redis, RabbitMQ and the MariaDB shards on free ports, a
// configuration file that names them, and processes of each role that are started again whenever they end, as a
// supervisor would. Everything can be killed, frozen and restarted by name:
//
//	f, err := fleet.Open(ctx, fleet.Config{Command: seckill})  // the servers, and the file
//	defer f.Close()
//	// migrate with f.File(), then
//	f.Launch()                                                 // api-0, api-1, worker-0, worker-1, keeper-0, keeper-1
//	err = f.AwaitReady(ctx)
//	member, err := f.Member("worker-1")
//	member.Kill()
//
// All of it ends with this process, however it ends. It knows nothing of tests and nothing of the system but its
// configuration file and its health endpoint.
package fleet
