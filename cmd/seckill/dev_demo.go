package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

const (
	devPoll  = 50 * time.Millisecond
	devCrowd = 20_000
	// devMix is what shoppers do who do not wait for the deadline of an order, devPatience longer than what a lost Redis
	// leaves in doubt.
	devMix      = "pay=75,cancel=10,twice=5,again=10"
	devPatience = "2m"
)

// devDemo is the demonstration sale of a fleet, as an operator has it.
type devDemo struct {
	operators *adminclient.Client
	sale      api.AdminSale
	// isKept: a run before has left it.
	isKept bool
}

// openDevDemo returns the demonstration sale, preloaded, when every api shows it: the one that a run before has left,
// unless it is over, or a new one.
func openDevDemo(ctx context.Context, f *fleet.Fleet, config app.Config, draft api.NewSale) (devDemo, error) {
	system, err := operatorsAt(config, config.AdminURL())
	if err != nil {
		return devDemo{}, err
	}
	d := devDemo{operators: system}
	if err := d.find(ctx); err != nil {
		return d, err
	}
	if d.sale.ID == "" {
		if d.sale, err = system.CreateSale(ctx, draft); err != nil {
			return d, fmt.Errorf("create the sale: %w", err)
		}
	}
	if d.sale.State == api.SaleStateDraft {
		if d.sale, err = system.Preload(ctx, d.sale.ID, 0, false); err != nil {
			return d, fmt.Errorf("preload the sale: %w", err)
		}
	}
	for _, node := range f.Nodes[fleet.API] {
		if err := awaitListed(ctx, "http://"+node.Addr(), d.sale.ID); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *devDemo) find(ctx context.Context) error {
	list, err := d.operators.Sales(ctx, "", adminclient.Page{Limit: 100})
	if err != nil {
		return err
	}
	for _, sale := range list.Data {
		if sale.Name == app.DemoName && sale.State != api.SaleStateEnded && sale.ServerTime.Before(sale.EndsAt) {
			d.sale, d.isKept = sale, true
			return nil
		}
	}
	return nil
}

// awaitListed returns when shoppers find the sale there: each api reads the catalog in its own time.
func awaitListed(ctx context.Context, url, sale string) error {
	for !lists(ctx, url, sale) {
		select {
		case <-time.After(devPoll):
		case <-ctx.Done():
			return fmt.Errorf("shoppers do not see the sale at %s: %w", url, context.Cause(ctx))
		}
	}
	return nil
}

func lists(ctx context.Context, url, sale string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/sales?limit=100", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var list api.SaleList
	err = json.NewDecoder(response.Body).Decode(&list)
	return err == nil && slices.ContainsFunc(list.Data, func(s api.Sale) bool { return s.ID == sale })
}

// sayKept says so when a run before has left another sale than was asked for.
func (d *devDemo) sayKept(w io.Writer, units int64) {
	if item := d.sale.Items[0]; d.isKept && item.Allotment != units {
		_, _ = fmt.Fprintf(w, "the data folder has a demo sale of %d units, which goes on: --units %d is not heeded until that one is over\n", item.Allotment, units)
	}
}

// introduce prints what somebody needs to play with the fleet.
func (d *devDemo) introduce(w io.Writer, f *fleet.Fleet, config app.Config) error {
	item := d.sale.Items[0]
	invitation := app.Invitation{
		URL: config.URL(), AdminURL: config.AdminURL(), Sale: d.sale.Name, SaleID: d.sale.ID, ItemID: item.ID,
		Units: item.Allotment, Limit: item.LimitPerUser, Opens: d.sale.StartsAt,
		Further: devFurther(f, config),
	}
	if err := invitation.Admit(config); err != nil {
		return err
	}
	return invitation.Print(w)
}

// devFurther names the tools with all they need, and where everything is.
func devFurther(f *fleet.Fleet, config app.Config) []string {
	program := os.Args[0]
	if strings.Contains(program, "go-build") { // `go run` has put it where nobody finds it
		program = "go run ./cmd/seckill"
	}
	program += " --config " + f.File()
	var shops strings.Builder
	for _, node := range f.Nodes[fleet.API] {
		shops.WriteString(" --url http://" + node.Addr())
	}
	doors := shops.String() + " --admin-url " + config.AdminURL()
	sandbox := f.Nodes[fleet.Sandbox][0]
	lines := []string{
		"Or send a crowd, and hold every number against every other one:", "",
		fmt.Sprintf("  %s crowd --shoppers %d%s", program, devCrowd, doors),
		fmt.Sprintf("  %s audit", program), "",
		"Or be the operator:", "",
		fmt.Sprintf("  %s admin sales list", program), "",
		"Or, instead, one that pays until everything is sold, and whose money is counted, too:", "",
		fmt.Sprintf("  %s crowd --mix %s --until-sold --patience %s --shoppers %d%s --ledger-url http://%s --ledger-key-file %s",
			program, devMix, devPatience, devCrowd, doors, sandbox.Addr(), sandbox.File(fleet.SandboxKey)), "",
		"These run, log to " + filepath.Dir(f.File()) + ", and are started again when they end:", "",
	}
	for _, name := range f.Names() {
		if member, err := f.Member(name); err == nil {
			lines = append(lines, fmt.Sprintf("  %-10s %s", name, member.Addr()))
		}
	}
	return lines
}

// progress prints one line a second while the sale changes, until ctx ends.
func (d *devDemo) progress(ctx context.Context, w io.Writer) {
	var last string
	for {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		stats, err := d.operators.Stats(bounded, d.sale.ID)
		cancel()
		if line := statsLine(stats); err == nil && line != last {
			last = line
			_, _ = fmt.Fprintf(w, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
		}
	}
}

func statsLine(stats api.SaleStats) string {
	var all api.ItemStats
	for _, item := range stats.Items {
		all.Allotted += item.Allotted
		all.Claimed += item.Claimed
		all.Lent += item.Lent
		all.Doubt += item.Doubt
	}
	line := fmt.Sprintf("%-9s  %d of %d units sold, %d lent to redis", stats.State, all.Claimed, all.Allotted, all.Lent)
	if stats.Queue != nil {
		line += fmt.Sprintf(", %d batches queued", stats.Queue.Ready+stats.Queue.Unacked)
	}
	if all.Doubt > 0 {
		line += fmt.Sprintf(", %d in doubt", all.Doubt)
	}
	return line
}
