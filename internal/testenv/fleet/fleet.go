package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// Roles of processes, in the order in which they end: who promises first, who keeps the promise last. The sandbox is a
// payment provider that all of them ask.
const (
	API     = "api"
	Worker  = "worker"
	Keeper  = "keeper"
	Sandbox = "sandbox"
	// Up is the role of a process that is everything; see OpenSingle.
	Up = "up"
)

// Names of servers; the shards are mariadb-0 and so on.
const (
	redisName  = "redis"
	rabbitName = "rabbitmq"
)

// countDefault is how many of everything there are unless said otherwise: nothing may depend on being alone.
const countDefault = 2

// Config says what a fleet is made of.
type Config struct {
	// Dir holds everything, and is kept; a fleet that is opened on it again finds its data. Empty means a temporary folder.
	Dir string
	// How many of each; 0 means two.
	APIs, Workers, Keepers, Shards int
	// Sandbox adds a payment provider, which the configuration file then names.
	Sandbox bool
	// Listen and AdminListen are where the first api serves; empty means free ports, as all others have.
	Listen, AdminListen string
	// Settings are further lines of the configuration file.
	Settings string
	// Path gives the address at which nodes find a server, for whoever puts something between them; nil is the server's own.
	Path func(name, address string) (string, error)
	// Command is how a node is run.
	Command func(Node) Command
	// Output is where a node's output goes; nil means a file of its name in the folder.
	Output func(name string) io.Writer
	// Notice hears of every member that ends by itself or is killed, and of servers that serve again. It may be nil, and is
	// called by several goroutines.
	Notice func(name, what string)
}

// Command is a program with its arguments, and its environment; nil is ours.
type Command struct {
	Args []string
	Env  []string
}

// Member is a server or a node.
type Member interface {
	Addr() string
	// IsUp says whether it runs, whatever state it is in.
	IsUp() bool
	// Kill is kill -9. A server stays away until Restart; a node is started again at once.
	Kill()
	// Stop freezes it (SIGSTOP), Continue ends that.
	Stop() error
	Continue() error
	// Restart ends it, if it still runs, starts it on its address again, and returns when it serves. A node is asked to
	// end and may finish what it does; a server is killed, which is what its promises are about.
	Restart(ctx context.Context) error
}

// Fleet is the whole system on this machine.
type Fleet struct {
	Redis    *server.Redis
	RabbitMQ *server.RabbitMQ
	Shards   []*server.MariaDB
	// Nodes are the processes, by role.
	Nodes map[string][]*Node

	config  Config
	dir     string
	isOurs  bool // the folder: made here, removed at the end
	keeping keeping
}

// Open starts the servers and writes the configuration file. No node runs before Launch.
func Open(ctx context.Context, config Config) (fleet *Fleet, err error) {
	if config.Notice == nil {
		config.Notice = func(string, string) {}
	}
	f := &Fleet{config: config, isOurs: config.Dir == "", Nodes: map[string][]*Node{}}
	if err := f.makeDir(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := f.chooseAddresses(); err != nil {
		return nil, err
	}
	if err := f.openServers(ctx); err != nil {
		return nil, err
	}
	if err := f.writeConfig(ctx); err != nil {
		return nil, fmt.Errorf("write the configuration of the fleet: %w", err)
	}
	return f, nil
}

func (f *Fleet) makeDir() (err error) {
	if f.isOurs {
		f.dir, err = os.MkdirTemp("", "seckill-fleet-")
	} else if f.dir, err = filepath.Abs(f.config.Dir); err == nil {
		err = os.MkdirAll(f.dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("make a folder for the fleet: %w", err)
	}
	return nil
}

// openServers starts all servers at once: most of the time each of them waits.
func (f *Fleet) openServers(ctx context.Context) error {
	f.Shards = make([]*server.MariaDB, cmp.Or(f.config.Shards, countDefault))
	failures := make([]error, 2+len(f.Shards))
	var opening sync.WaitGroup
	opening.Go(func() { f.Redis, failures[0] = server.OpenRedis(ctx, f.place(redisName)) })
	opening.Go(func() { f.RabbitMQ, failures[1] = server.OpenRabbitMQ(ctx, f.place(rabbitName)) })
	for i := range f.Shards {
		opening.Go(func() { f.Shards[i], failures[2+i] = server.OpenMariaDB(ctx, f.place(shardName(i))) })
	}
	opening.Wait()
	return errors.Join(failures...)
}

func (f *Fleet) place(name string) server.Options {
	return server.Options{Dir: filepath.Join(f.dir, name)}
}

func shardName(i int) string { return fmt.Sprintf("mariadb-%d", i) }

// IsShard says whether that is the name of a shard.
func IsShard(name string) bool { return strings.HasPrefix(name, "mariadb-") }

// chooseAddresses makes the nodes.
func (f *Fleet) chooseAddresses() error {
	for role, count := range map[string]int{API: f.config.APIs, Worker: f.config.Workers, Keeper: f.config.Keepers} {
		for i := range cmp.Or(count, countDefault) {
			node, err := f.newNode(role, i)
			if err != nil {
				return err
			}
			f.Nodes[role] = append(f.Nodes[role], node)
		}
	}
	if f.config.Sandbox {
		return f.addSandbox()
	}
	return nil
}

// Dir is the folder of everything.
func (f *Fleet) Dir() string { return f.dir }

// Launch starts every node and keeps it running. The shards must have their schema.
func (f *Fleet) Launch() {
	for _, node := range f.nodes() {
		node.run.launch()
	}
}

// AwaitReady returns when every node says that it is ready, when one of them cannot be kept running, or when ctx ends.
func (f *Fleet) AwaitReady(ctx context.Context) error {
	for _, node := range f.nodes() {
		if err := node.awaitReady(ctx, node.run.isHopeless); err != nil {
			return err
		}
	}
	return nil
}

// Names lists the members: redis, rabbitmq, mariadb-0 …, api-0 …, worker-0 …, keeper-0 …
func (f *Fleet) Names() []string { return slices.Sorted(maps.Keys(f.members())) }

// Member finds one by its name.
func (f *Fleet) Member(name string) (Member, error) {
	member, found := f.members()[name]
	if !found {
		return nil, fmt.Errorf("the fleet has no %s, only %v", name, f.Names())
	}
	return member, nil
}

func (f *Fleet) members() map[string]Member {
	members := map[string]Member{}
	if f.Redis != nil {
		members[redisName], members[rabbitName] = f.Redis, f.RabbitMQ
	}
	for i, shard := range f.Shards {
		members[shardName(i)] = shard
	}
	for _, node := range f.nodes() {
		members[node.Name()] = node
	}
	return members
}

// nodes are all of them, in the order in which they end.
func (f *Fleet) nodes() []*Node {
	return slices.Concat(f.Nodes[Up], f.Nodes[API], f.Nodes[Worker], f.Nodes[Keeper], f.Nodes[Sandbox])
}

// Shutdown ends the nodes as a supervisor does, role by role, each with time to finish what it does until ctx ends; then
// it closes the fleet.
func (f *Fleet) Shutdown(ctx context.Context) {
	for _, role := range []string{Up, API, Worker, Keeper, Sandbox} {
		var ending sync.WaitGroup
		for _, node := range f.Nodes[role] {
			ending.Go(func() { node.run.end(ctx) })
		}
		ending.Wait()
	}
	f.Close()
}

// Close kills everything, and removes the folder if nobody chose it. It may be called twice.
func (f *Fleet) Close() {
	for _, node := range f.nodes() {
		node.run.close()
	}
	f.keeping.end()
	// A server is nil if it could not be opened.
	if f.Redis != nil {
		f.Redis.Close()
	}
	if f.RabbitMQ != nil {
		f.RabbitMQ.Close()
	}
	for _, shard := range f.Shards {
		if shard != nil {
			shard.Close()
		}
	}
	if f.isOurs {
		_ = os.RemoveAll(f.dir) // a left-over temporary folder harms nobody
	}
}
