package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// drill is one run.
type drill struct {
	config   Config
	name     string
	began    time.Time
	played   time.Duration // for how long there were faults
	stage    *stage
	ledger   *ledger
	timeline *timeline
	market   *market
	probes   *probes
	nemesis  *nemesis
	till     *till
	notes    []string
}

// Run plays the drill and says what became of every promise. An error means that it could not be played, or judged. When ctx
// ends, everything is healed, and what happened so far is judged when it is at rest. Nobody waits for that any more when waiting
// ends, or ctx does only then: the report says so, and is not OK.
func Run(ctx, waiting context.Context, config Config) (Report, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return Report{}, err
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return Report{}, fmt.Errorf("drill: %w", err)
	}
	d := &drill{config: config, name: fmt.Sprintf("drill-%d", config.Seed), began: time.Now()}
	report, err := d.run(ctx, waiting)
	if err != nil {
		return report, fmt.Errorf("drill: %w", err)
	}
	return report, nil
}

func (d *drill) run(ctx, waiting context.Context) (report Report, err error) {
	if d.ledger, err = openLedger(d.ledgerFile(), d.began); err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, d.ledger.close()) }()
	d.timeline = &timeline{began: d.began, out: d.config.Out, ledger: d.ledger}
	if err := d.open(ctx); err != nil {
		return Report{}, err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), healWithin)
		defer cancel()
		d.stage.close(ending)
	}()
	waiting, hurry := context.WithCancel(waiting)
	defer hurry()
	probes, stopProbes := context.WithCancel(context.WithoutCancel(ctx))
	defer stopProbes()
	if err := d.startProbes(ctx, probes, waiting); err != nil {
		return Report{}, err
	}
	faults := d.stage.faults(d.config)
	if len(faults) == 0 {
		return Report{}, errors.New("none of these faults can be played here")
	}
	acts := plan(d.config.Seed, d.config.Lasts, faults, d.config.Pairs)
	d.timeline.say("%d faults are planned in %s, by seed %d", len(acts), d.config.Lasts, d.config.Seed)
	left := d.play(ctx, waiting, acts)
	if left > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%d of %d planned faults were not played: the time was over", left, len(acts)))
	}
	interrupted := ctx.Err() != nil
	if !interrupted {
		defer context.AfterFunc(ctx, hurry)()
	}
	return d.judge(waiting, interrupted, stopProbes)
}

func (d *drill) ledgerFile() string { return filepath.Join(d.config.Dir, ledgerName) }

// open starts the system.
func (d *drill) open(ctx context.Context) (err error) {
	notice := func(name, what string) { d.ledger.note(entry{Event: name + " " + what}) }
	if d.config.Embedded {
		d.timeline.say("starting the single binary")
		d.stage, err = openSingle(ctx, d.config, notice)
	} else {
		d.timeline.say("starting Redis with a replica, RabbitMQ, MariaDB and the nodes")
		d.stage, err = openFleet(ctx, d.config, notice)
	}
	if err != nil {
		return err
	}
	d.timeline.say("everything is in %s", d.config.Dir)
	for _, note := range d.stage.notes {
		d.timeline.say("%s", note)
	}
	d.notes = d.stage.notes
	d.till = newTill(d.stage.till, d.stage.keys.Provider)
	d.market = newMarket(d.config, d.stage, d.ledger, d.timeline, d.name)
	d.probes = newProbes(d.stage, d.ledger, d.name)
	d.nemesis = &nemesis{stage: d.stage, probes: d.probes, timeline: d.timeline, kills: make(map[string]int)}
	return nil
}

// probeUnits is more than probes can buy.
const probeUnits = 1_000_000

// startProbes puts on a sale for the probes, with an item in each shard.
func (d *drill) startProbes(ctx, lasting, waiting context.Context) error {
	ready, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	items := make([]api.NewItem, 2*stands)
	for i := range items {
		items[i] = newItem(fmt.Sprintf("P-%d", i), 1, probeUnits)
	}
	sale, err := d.market.put(ready, d.name+" probes", items)
	if err != nil {
		return fmt.Errorf("put on a sale for the probes: %w", err)
	}
	homes, err := d.homes(ready, sale)
	if err != nil {
		return err
	}
	d.probes.start(lasting, waiting, homes)
	return nil
}

// homes picks one item of each shard.
func (d *drill) homes(ctx context.Context, sale api.AdminSale) ([]string, error) {
	if d.config.Embedded {
		return []string{sale.Items[0].ID}, nil
	}
	stored, err := d.config.System.Open(ctx, d.stage.fleet.File())
	if err != nil {
		return nil, fmt.Errorf("open what is stored: %w", err)
	}
	defer func() { _ = stored.Close() }()
	var picked []string
	seen := make(map[int]bool)
	for _, item := range sale.Items {
		id, err := seckill.ParseID(item.ID)
		if err != nil {
			return nil, err
		}
		if home := seckill.HomeShard(stored.Shards, id); !seen[home] {
			seen[home], picked = true, append(picked, item.ID)
		}
	}
	return picked, nil
}

// play lets the market sell and the nemesis strike for as long as it was asked for.
func (d *drill) play(ctx, waiting context.Context, acts []act) (left int) {
	until := time.Now().Add(d.config.Lasts)
	playing, stop := context.WithDeadline(ctx, until)
	defer stop()
	selling := make(chan struct{})
	go func() {
		d.market.run(playing, until)
		close(selling)
	}()
	began := time.Now()
	left = d.nemesis.run(playing, waiting, acts)
	d.played = time.Since(began)
	stop()
	<-selling
	return left
}

// judge waits until everything is at rest, and holds all numbers against each other.
func (d *drill) judge(waiting context.Context, interrupted bool, stopProbes func()) (Report, error) {
	v := Verdict{Found: make(map[string]int64), Interrupted: interrupted, Notes: d.notes}
	d.await(waiting, &v, stopProbes)
	lasting := context.WithoutCancel(waiting)
	if d.config.Embedded {
		ending, cancel := context.WithTimeout(lasting, healWithin)
		defer cancel()
		d.stage.fleet.Shutdown(ending)
	}
	reports, failures := d.market.result()
	v.judgeCrowds(reports)
	for _, failure := range failures {
		if !v.Interrupted && !v.Hurried {
			v.add(findingf(uncompared, "", "", "%s", failure))
		}
	}
	turns := d.timeline.played()
	v.judgeTurns(turns)
	d.timeline.say("reading the books")
	judging, cancelJudging := context.WithTimeout(lasting, auditWithin)
	defer cancelJudging()
	if err := v.judgeBooks(judging, d); err != nil {
		return Report{}, err
	}
	return d.report(v, turns), nil
}

// await returns when everything is at rest, or when waiting ends. What moves then may come to rest later: that is no finding.
func (d *drill) await(waiting context.Context, v *Verdict, stopProbes func()) {
	d.timeline.say("no more faults; waiting until everything that was promised is decided")
	finishing, cancel := context.WithTimeout(waiting, finishWithin)
	defer cancel()
	d.market.finish(finishing, v.Interrupted)
	stopProbes()
	v.add(d.probes.finish()...)
	resting, cancelRest := context.WithTimeout(waiting, restWithin)
	defer cancelRest()
	if found := d.market.awaitRest(resting); waiting.Err() == nil {
		v.add(found...)
	}
	settling, cancelSettling := context.WithTimeout(waiting, restWithin)
	defer cancelSettling()
	err := d.till.settle(settling)
	switch v.Hurried = waiting.Err() != nil; {
	case v.Hurried:
		d.timeline.say("interrupted; not waiting any longer")
	case err != nil:
		v.add(findingf(restless, "", "", "%s", err))
	}
}
