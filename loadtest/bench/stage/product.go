package stage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// The roles of the product. Up is all of them in one process.
const (
	API    = "api"
	Worker = "worker"
	Keeper = "keeper"
	Up     = "up"
)

const (
	auditWithin = 3 * time.Minute
	// closeWithin is for processes that finish what they do, and for dropping millions of rows.
	closeWithin = 2 * time.Minute
)

// Key is the name and the secret that sign shoppers' tokens on every side.
type Key struct{ ID, Secret string }

// NewKey makes one up.
func NewKey() Key { return Key{ID: "bench", Secret: rand.Text() + rand.Text()} }

// Product is one installation of the product: its configuration, and the processes of its roles that run now.
type Product struct {
	Config    app.Config
	Operators *adminclient.Client
	// SQL is its database, nil when it is embedded.
	SQL *sql.DB

	stage       *Stage
	database    string // of SQL, empty when it is embedded
	name        string
	program     string
	file        string
	operatorKey string
	processes   map[string]*Process
}

// settings differ from the product's defaults only where the bench would be refused as a crowd of one machine: while no
// worker runs, the queue is meant to grow.
const settings = `profile: development
log: {level: info}
limits: {backlog_age: 1h, backlog_depth: 100000000}
payments: {provider: none}
debug: {pprof: true}
`

// NewProduct makes an installation on the servers, with databases of its own, and its schema.
func (s *Stage) NewProduct(ctx context.Context, program, name string, key Key) (*Product, error) {
	s.installations++
	name = fmt.Sprintf("%s_%d", name, s.installations) // what an earlier one has left in a queue is not this one's
	database := "bench_" + name
	db, err := s.OpenSQL(ctx, database)
	if err != nil {
		return nil, err
	}
	number, err := s.TakeDatabase(ctx)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "backend: services\nredis: {addresses: [%q], database: %d}\n", s.Redis.Addr(), number)
	fmt.Fprintf(&text, "rabbitmq: {addresses: [%q], prefix: %q, login: {username: %q, password: %q}}\n",
		s.RabbitMQ.Addr(), name, s.RabbitMQ.User(), s.RabbitMQ.Password())
	fmt.Fprintf(&text, "shards: [{address: %q, database: %q, login: {username: %q, password: %q}}]\n",
		s.MariaDB.Addr(), database, s.MariaDB.User(), s.MariaDB.Password())
	p, err := s.newProduct(program, name, key, text.String())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p.SQL, p.database = db, database
	if err := app.Migrate(ctx, p.Config, slog.New(slog.DiscardHandler)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// NewEmbedded makes an installation that needs no server.
func (s *Stage) NewEmbedded(program, name string, key Key) (*Product, error) {
	return s.newProduct(program, name, key, "backend: embedded\n")
}

func (s *Stage) newProduct(program, name string, key Key, backend string) (*Product, error) {
	p := &Product{stage: s, name: name, program: program, file: s.path(name + ".yaml"), processes: map[string]*Process{}}
	listen, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	p.operatorKey = rand.Text()
	text := settings + backend + fmt.Sprintf("data: %q\nlisten: %q\nadmin_listen: %q\ntokens: {keys: [{kid: %q, secret: %q}]}\noperators: [{name: bench, key: %q}]\n",
		s.path(name), listen, admin, key.ID, key.Secret, p.operatorKey)
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if p.Config, err = app.Load(app.LoadOptions{File: p.file}); err != nil {
		return nil, err
	}
	p.Operators, err = adminclient.New(p.Config.AdminURL(), p.operatorKey, nil)
	return p, err
}

// Close ends all processes and empties the databases: the next one must not find the servers fuller than this one did.
func (p *Product) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	p.End(ctx, Up, API, Worker, Keeper)
	if p.SQL == nil {
		return os.RemoveAll(p.Config.Data)
	}
	p.stage.ReturnDatabase(p.Config.Redis.Database)
	_, dropped := p.SQL.ExecContext(ctx, "DROP DATABASE "+p.database)
	return errors.Join(dropped, p.SQL.Close(), p.stage.emptyDatabase(ctx, p.Config.Redis.Database))
}

// Start starts processes of these roles, unless they run, and returns when they are ready.
func (p *Product) Start(ctx context.Context, roles ...string) error {
	for _, role := range roles {
		if p.processes[role] != nil {
			continue
		}
		admin := p.Config.AdminListen
		if role == Worker || role == Keeper {
			var err error
			if admin, err = FreeAddress(); err != nil {
				return err
			}
		}
		started, err := p.stage.Start(p.name+"-"+role, p.program, "--config", p.file, role, "--admin-listen", admin)
		if err != nil {
			return err
		}
		started.admin = admin
		p.processes[role] = started
		if err := started.AwaitOK(ctx, "http://"+admin+"/readyz"); err != nil {
			return err
		}
	}
	return nil
}

// End ends the processes of these roles, if they run, in this order.
func (p *Product) End(ctx context.Context, roles ...string) {
	for _, role := range roles {
		if running := p.processes[role]; running != nil {
			running.End(ctx)
			delete(p.processes, role)
		}
	}
}

// DSN names its database, with the password.
func (p *Product) DSN() string { return p.stage.DSN(p.database) }

// Addr is where shoppers are served.
func (p *Product) Addr() string { return p.Config.Listen }

// CPU is the processor time that a role has used so far.
func (p *Product) CPU(role string) (time.Duration, error) { return CPU(p.processes[role].PID()) }

// Audit holds every number of a sale against the others; a finding is an error.
func (p *Product) Audit(ctx context.Context, sale Sale) error {
	ctx, cancel := context.WithTimeout(ctx, auditWithin)
	defer cancel()
	for _, text := range sale.IDs {
		id, err := seckill.ParseID(text)
		if err != nil {
			return err
		}
		report, err := app.AuditOffline(ctx, p.Config, &id, slog.New(slog.NewTextHandler(io.Discard, nil)))
		switch {
		case err != nil:
			return fmt.Errorf("audit: %w", err)
		case !report.Ok:
			return fmt.Errorf("audit: %d findings, the first one: %+v", len(report.Findings), report.Findings[0])
		}
	}
	return nil
}
