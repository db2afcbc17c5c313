package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// A doomed process is this test binary run again as a whole embedded system, with cuts between use cases and stores. The
// variable says where and at which passing it dies ("after T1#3"); "never" is a healthy one.
const (
	cutVariable    = "SECKILL_TEST_CUT"
	dataVariable   = "SECKILL_TEST_DATA"
	listenVariable = "SECKILL_TEST_LISTEN"
	adminVariable  = "SECKILL_TEST_ADMIN"
	planVariable   = "SECKILL_TEST_PLAN"
	bankVariable   = "SECKILL_TEST_BANK"
	redisVariable  = "SECKILL_TEST_REDIS_AT" // where a process of a fleet looks for Redis, if not where the others do
	never          = "never"
)

// runDoomed is the child: it serves until it is killed, or asked to stop.
func runDoomed(cut string) int {
	point, nth, _ := strings.Cut(cut, "#")
	times, _ := strconv.ParseInt(nth, 10, 64)
	config, plan, err := doomedConfig()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doomed:", err)
		return 1
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	app.LogLibraries(log)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	hook := dieAt(point, times)
	if file := os.Getenv(configVariable); file != "" {
		hook = ordersOf(file).obey
	}
	system, err := app.Open(ctx, config, plan, log, cuts{hook}.option())
	if err == nil {
		err = system.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "doomed:", err)
		return 1
	}
	return 0
}

// doomedConfig is the embedded system's, or, with a configuration file, that of one role on shared servers.
func doomedConfig() (app.Config, app.Plan, error) {
	config, plan := withBank(app.Defaults()), app.Everything()
	config.Data, config.Payments.Sandbox.Listen = os.Getenv(dataVariable), os.Getenv(bankVariable)
	config.Limits.PerUserPerSecond, config.Limits.PerUserBurst = 1000, 1000
	config.Audit.Every = auditEvery
	if file := os.Getenv(configVariable); file != "" {
		read, err := app.Load(app.LoadOptions{File: file})
		if err != nil {
			return config, plan, err
		}
		config = read
		if redis := os.Getenv(redisVariable); redis != "" {
			config.Redis.Addresses = []string{redis}
		}
		plan = map[string]app.Plan{"api": app.OnlyAPI(), "worker": app.OnlyWorker(), "keeper": app.OnlyKeeper()}[os.Getenv(planVariable)]
	}
	config.Listen, config.AdminListen = os.Getenv(listenVariable), os.Getenv(adminVariable)
	return config, plan, nil
}

// victim is a system in a process of its own that can be killed and started again on the same data and addresses.
type victim struct {
	t      *testing.T
	config app.Config
	child  *exec.Cmd
	exited chan struct{}
	sale   api.AdminSale
	// payWithin is how many seconds its orders may stay unpaid, 0 for long enough.
	payWithin int
	// doors are where else the crowd may buy.
	doors []string
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	config := testConfig(t)
	config.Listen, config.AdminListen, config.Payments.Sandbox.Listen = testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t)
	return &victim{t: t, config: config}
}

// start runs a child that will die at cut, and waits until it serves or is dead.
func (v *victim) start(cut string) {
	v.t.Helper()
	child := exec.Command(nodeBinary()) //nolint:noctx // it ends by kill -9, that is the point
	child.Env = append(os.Environ(), cutVariable+"="+cut, dataVariable+"="+v.config.Data,
		listenVariable+"="+v.config.Listen, adminVariable+"="+v.config.AdminListen, bankVariable+"="+v.config.Payments.Sandbox.Listen)
	child.Stderr = alarm{v.t, v.t.Output()}
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		v.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = child.Wait(); close(exited) }()
	v.child, v.exited = child, exited
	v.t.Cleanup(v.kill)
	deadline := time.After(patience)
	for !v.serves() {
		select {
		case <-exited:
			return
		case <-deadline:
			v.t.Fatal("the child never served")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (v *victim) serves() bool {
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.config.URL()+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// kill is kill -9.
func (v *victim) kill() {
	_ = v.child.Process.Kill()
	<-v.exited
}

// operate calls the operators' listener and decodes the answer.
func (v *victim) operate(method, path string, body, answer any) error {
	credentials, err := v.config.Credentials()
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.config.AdminURL()+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+credentials.Operators[0].Key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s %s %w", method, path, response.Status, text, err)
	}
	return json.Unmarshal(text, answer)
}

// create makes a draft that sells at once when it is preloaded.
func (v *victim) create(units int64) {
	v.t.Helper()
	price := int64(100)
	err := v.operate(http.MethodPost, "/admin/v1/sales", api.NewSale{
		Name: "sale", StartsAt: time.Now().UTC(), EndsAt: time.Now().UTC().Add(time.Hour), PayWithinSeconds: cmp.Or(v.payWithin, 600),
		Items: []api.NewItem{{Sku: "A", Title: "A", PriceMinor: &price, Currency: "EUR", Allotment: units, LimitPerUser: 2}},
	}, &v.sale)
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *victim) preload() error {
	return v.operate(http.MethodPost, "/admin/v1/sales/"+v.sale.ID+"/preload", struct{}{}, &v.sale)
}

// crowd plays shoppers until all of them are done, whatever happens to the process meanwhile.
func (v *victim) crowd(shoppers int, change ...func(*crowd.Config)) <-chan crowdResult {
	v.t.Helper()
	tokens := v.tokens()
	config := crowd.Config{
		BaseURLs: append([]string{v.config.URL()}, v.doors...), AdminURL: v.config.AdminURL(), OperatorKey: v.credentials().Operators[0].Key,
		Sale: v.sale.ID, Shoppers: shoppers, Concurrency: 32, Patience: patience, Out: v.t.Output(), Quiet: true,
		Mint: func(user string) (string, error) { return tokens.Mint(seckill.UserID(user), time.Hour) },
	}
	for _, do := range change {
		do(&config)
	}
	done := make(chan crowdResult, 1)
	go func() {
		report, err := crowd.Run(v.t.Context(), config)
		done <- crowdResult{report, err}
	}()
	return done
}

// credentials are those that the system has made or was given.
func (v *victim) credentials() app.Credentials {
	v.t.Helper()
	credentials, err := v.config.Credentials()
	if err != nil {
		v.t.Fatal(err)
	}
	return credentials
}

// tokens makes the tokens of shoppers.
func (v *victim) tokens() *identity.Tokens {
	v.t.Helper()
	keys, err := identity.NewSecrets(v.credentials().Tokens)
	if err != nil {
		v.t.Fatal(err)
	}
	tokens, err := identity.NewTokens(identity.TokensConfig{Keys: keys, Clock: seckill.SystemClock{}})
	if err != nil {
		v.t.Fatal(err)
	}
	return tokens
}

type crowdResult struct {
	report crowd.Report
	err    error
}

// sold is how many units are claimed, as the operators see it.
func (v *victim) sold() int64 {
	var stats api.SaleStats
	if err := v.operate(http.MethodGet, "/admin/v1/sales/"+v.sale.ID+"/stats", struct{}{}, &stats); err != nil {
		return 0
	}
	return stats.Items[0].Claimed
}
