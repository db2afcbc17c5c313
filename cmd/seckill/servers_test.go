package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// readme is where people read how servers are set up; what it grants is what the script's user gets.
const readme = "../../README.md"

// servers are real ones, each with an encrypted way in on which client certificates are asked for, and a user whose
// password is in a file.
type servers struct {
	redis  *server.Redis
	rabbit *server.RabbitMQ
	maria  *server.MariaDB
}

// secretNames are the files of a production start; nobody may ever see what is in them.
func secretNames() []string {
	return []string{"redis", "rabbitmq", "mysql", "token-key", "operator-ada", "wrong"}
}

// startServers writes secrets/, certificates and seckill.yaml, and starts what they lead to. The servers live as long as
// the script.
func startServers(t testing.TB, ts *testscript.TestScript, neg bool, args []string) {
	t.Helper()
	if neg || len(args) > 0 {
		ts.Fatalf("usage: servers")
	}
	ts.Check(os.Mkdir(ts.MkAbs("secrets"), 0o700))
	for _, name := range secretNames() {
		ts.Check(os.WriteFile(ts.MkAbs("secrets/"+name), []byte(rand.Text()+rand.Text()+"\n"), 0o600))
	}
	ca := testenv.NewAuthority(t, ts.MkAbs("secrets"))
	ca.Issue(t, "client")
	certificate, key := ca.Issue(t, "server")
	s := openServers(t, ts, server.Options{TLS: &server.TLS{CAFile: ca.File, CertFile: certificate, KeyFile: key}})
	s.admit(t, ts)
	for name, address := range map[string]string{
		"REDIS": s.redis.SecureAddr(), "RABBITMQ": s.rabbit.SecureAddr(), "MYSQL": s.maria.SecureAddr(),
	} {
		ts.Setenv(name, address)
	}
	file := os.Expand(ts.ReadFile("servers.yaml"), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs("seckill.yaml"), []byte(file), 0o600))
}

func openServers(t testing.TB, ts *testscript.TestScript, options server.Options) *servers {
	t.Helper()
	s := &servers{}
	failures := make([]error, 3)
	var opening sync.WaitGroup
	opening.Go(func() { s.redis, failures[0] = server.OpenRedis(t.Context(), options) })
	opening.Go(func() { s.rabbit, failures[1] = server.OpenRabbitMQ(t.Context(), options) })
	opening.Go(func() { s.maria, failures[2] = server.OpenMariaDB(t.Context(), options) })
	opening.Wait()
	if failures[0] == nil {
		ts.Defer(s.redis.Close)
	}
	if failures[1] == nil {
		ts.Defer(s.rabbit.Close)
	}
	if failures[2] == nil {
		ts.Defer(s.maria.Close)
	}
	for _, err := range failures {
		ts.Check(err)
	}
	return s
}

// admit makes the users, with what the README grants them.
func (s *servers) admit(t testing.TB, ts *testscript.TestScript) {
	t.Helper()
	content, err := os.ReadFile(readme)
	ts.Check(err)
	granted := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindSubmatch(content)
		if found == nil {
			ts.Fatalf("the README has no line %s", pattern)
		}
		return string(found[1])
	}
	secret := func(name string) string { return strings.TrimSpace(ts.ReadFile("secrets/" + name)) }
	rules := strings.Fields(granted(`ACL SETUSER seckill on >\S+ \S+\) (.*)\n`))
	_, err = server.Ask(t.Context(), s.redis.Addr(), append([]string{"ACL", "SETUSER", "seckill", "on", ">" + secret("redis")}, rules...)...)
	ts.Check(err)
	ts.Check(s.rabbit.AddUser(t.Context(), "seckill", "shop", secret("rabbitmq")))
	for _, statement := range []string{
		"CREATE DATABASE seckill_0", "CREATE DATABASE seckill_1",
		fmt.Sprintf("CREATE USER shop@'%%' IDENTIFIED BY '%s' REQUIRE X509", secret("mysql")),
		"GRANT " + granted(`GRANT (.*) ON `) + " ON `seckill\\_%`.* TO shop@'%'",
	} {
		ts.Check(server.AskMariaDB(t.Context(), s.maria.DSN(), statement))
	}
}

// secretless reads files, and the arguments of the processes that play, for what only the files in secrets/ may say.
func secretless(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: secretless file...")
	}
	for _, p := range playersOf(ts) {
		args = append(args, fmt.Sprintf("/proc/%d/cmdline", p.command.Process.Pid))
	}
	for _, name := range secretNames() {
		secret := strings.TrimSpace(ts.ReadFile("secrets/" + name))
		for _, file := range args {
			if text := ts.ReadFile(file); strings.Contains(text, secret) {
				ts.Fatalf("%s shows the secret of %s:\n%s", filepath.Base(file), name, strings.ReplaceAll(text, secret, "[HERE]"))
			}
		}
	}
}

// calm finds what a process complains of. That something took too long is no complaint about how the servers are set up: a
// call of 300 ms may run out on a machine that does much else, and a breaker then gives the server a rest.
func calm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: calm file...")
	}
	complaint := compile(ts, `level=(WARN|ERROR)`)
	late := compile(ts, `deadline exceeded|i/o timeout|rests after failures`)
	for _, file := range args {
		for line := range strings.Lines(ts.ReadFile(file)) {
			if complaint.MatchString(line) && !late.MatchString(line) {
				ts.Fatalf("%s complains:\n%s", file, line)
			}
		}
	}
}

// vary writes another configuration file: seckill.yaml with one text in place of another.
func vary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: vary file old new")
	}
	text := ts.ReadFile("seckill.yaml")
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("seckill.yaml has no %s", args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}
