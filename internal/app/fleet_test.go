package app_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// distributed is the whole system: real servers, and processes of each role that share them. Its members can be killed,
// frozen and restarted; see package fleet.
type distributed struct {
	victim // the first api, which operates; the crowd talks to all of them
	*fleet.Fleet
}

const configVariable = "SECKILL_TEST_CONFIG"

// fleetsMax bounds the fleets at one time: each is ten processes, and more of them than two cores can run says nothing about the
// bounds that tests expect of them.
const fleetsMax = 3

var fleets = make(chan struct{}, fleetsMax)

// startFleet starts every server and two processes of each role; change may ask for another fleet.
func startFleet(t *testing.T, change ...func(*fleet.Config)) *distributed {
	t.Helper()
	d := openFleet(t, change...)
	d.launch()
	return d
}

// openFleet starts the servers alone.
func openFleet(t *testing.T, change ...func(*fleet.Config)) *distributed {
	t.Helper()
	fleets <- struct{}{}
	t.Cleanup(func() { <-fleets })
	config := fleet.Config{
		Settings: "limits: {per_user_per_second: 1000, per_user_burst: 1000}\nlog: {level: warn}\n" +
			fmt.Sprintf("audit: {every: %s}\n", auditEvery),
		Command: ownBinary,
		Output:  func(string) io.Writer { return t.Output() },
	}
	for _, do := range change {
		do(&config)
	}
	output := config.Output
	config.Output = func(name string) io.Writer { return alarm{t, output(name)} }
	servers, err := fleet.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	d := &distributed{Fleet: servers, victim: victim{t: t}}
	d.config = d.load()
	for _, other := range d.Nodes[fleet.API][1:] {
		d.doors = append(d.doors, "http://"+other.Addr())
	}
	if err := app.Migrate(t.Context(), d.config, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	return d
}

// launch starts the processes.
func (d *distributed) launch() {
	d.t.Helper()
	d.Launch()
	ready, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	if err := d.AwaitReady(ready); err != nil {
		d.t.Fatal(err)
	}
	watch(d.t, d.config)
}

// nodeVariable names a build of this test binary for processes of their own to run: one without the race detector costs a
// third, see scripts/test. Without it they run the binary itself.
const nodeVariable = "SECKILL_TEST_NODE"

func nodeBinary() string { return cmp.Or(os.Getenv(nodeVariable), os.Args[0]) }

// ownBinary runs a node as this test binary does, which doomed_test.go looks after.
func ownBinary(node fleet.Node) fleet.Command {
	return fleet.Command{Args: []string{nodeBinary()}, Env: append(os.Environ(), cutVariable+"="+never,
		configVariable+"="+node.Config, planVariable+"="+node.Role, listenVariable+"="+node.Listen, adminVariable+"="+node.Admin)}
}

// load reads the fleet's configuration as its first api does.
func (d *distributed) load() app.Config {
	d.t.Helper()
	config, err := app.Load(app.LoadOptions{File: d.File()})
	if err != nil {
		d.t.Fatal(err)
	}
	first := d.Nodes[fleet.API][0]
	config.Listen, config.AdminListen = first.Listen, first.Admin
	return config
}

func (d *distributed) await(what string, ok func() bool) {
	d.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			d.t.Fatalf("never happened: %s", what)
		}
	}
}

// sell makes and preloads a sale of one item, and sends a crowd.
func (d *distributed) sell(units int64, shoppers int) <-chan crowdResult {
	d.t.Helper()
	d.create(units)
	if err := d.preload(); err != nil {
		d.t.Fatal(err)
	}
	return d.crowd(shoppers)
}

func TestFleet(t *testing.T) {
	t.Parallel()
	t.Run("sells out on real servers, everything adds up, and nobody has anything to warn of", func(t *testing.T) {
		t.Parallel()
		logs := &fleetLogs{t: t}
		f := startFleet(t, func(c *fleet.Config) { c.Output = logs.writer })
		done := f.sell(doomedUnits, 2*doomedUnits)
		f.await("every unit is sold", func() bool { return f.sold() == doomedUnits })
		f.judge(<-done, doomedUnits)
		ending, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		f.Shutdown(ending)
		if complaints := logs.complaints(); complaints != "" {
			t.Errorf("complains:\n%s", complaints)
		}
	})
	t.Run("loses nothing when processes and servers are killed in mid-sale", func(t *testing.T) {
		t.Parallel()
		f := startFleet(t)
		const units = 1000
		done := f.sell(units, units)
		f.awaitSold(20)
		for _, blow := range f.blows() {
			blow()
		}
		// Some units may be in doubt for a minute, and the crowd goes home meanwhile: not everything need be sold.
		f.addsUp(<-done)
	})
}

// blows are one at each kind of part, in any order.
func (d *distributed) blows() []func() {
	d.t.Helper()
	blows := []func(){func() { d.restart(d.Redis.RestartEmpty) }}
	for _, name := range []string{"rabbitmq", "mariadb-0", "mariadb-1"} {
		blows = append(blows, func() { d.restart(d.member(name).Restart) })
	}
	for _, name := range []string{"api-0", "worker-0", "keeper-0"} {
		blows = append(blows, func() { d.member(name).Kill() })
	}
	rand.Shuffle(len(blows), func(i, j int) { blows[i], blows[j] = blows[j], blows[i] })
	return blows
}

func (d *distributed) restart(again func(context.Context) error) {
	d.t.Helper()
	if err := again(d.t.Context()); err != nil {
		d.t.Error(err)
	}
}

func (d *distributed) member(name string) fleet.Member {
	d.t.Helper()
	member, err := d.Member(name)
	if err != nil {
		d.t.Fatal(err)
	}
	return member
}
