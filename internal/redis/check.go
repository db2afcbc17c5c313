package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// A Warning is one setting of a server that can cost a sale its epoch, or shoppers their time, with what to do about it.
type Warning struct {
	// Node is the server's address.
	Node string
	Text string
}

// Checkup is what the servers say of themselves.
type Checkup struct {
	Warnings []Warning
	// Absent are the servers that did not answer yet, with what came instead: nothing is known about them.
	Absent []error
}

// Check asks every server that may hold items (in a cluster: every master) for the settings that a sale relies on. INFO
// says all of them, and scripts need INFO anyway; CONFIG is forbidden where Redis is rented.
func (l *Lent) Check(ctx context.Context) Checkup {
	var mu sync.Mutex
	var found Checkup
	note := func(server *goredis.Client, inCluster bool) {
		one := checkServer(ctx, server, inCluster)
		mu.Lock()
		defer mu.Unlock()
		found.Warnings, found.Absent = append(found.Warnings, one.Warnings...), append(found.Absent, one.Absent...)
	}
	switch client := l.client.(type) {
	case *goredis.ClusterClient:
		err := client.ForEachMaster(ctx, func(_ context.Context, master *goredis.Client) error {
			note(master, true)
			return nil
		})
		if err != nil {
			found.add(l.address, err)
		}
	case *goredis.Client:
		note(client, false)
	}
	slices.SortFunc(found.Warnings, func(a, b Warning) int { return strings.Compare(a.Node+a.Text, b.Node+b.Text) })
	return found
}

func checkServer(ctx context.Context, server *goredis.Client, inCluster bool) Checkup {
	var found Checkup
	address := server.Options().Addr
	facts := make(map[string]string)
	// One section at a time: servers before 7.0 take no list, and shall be told that they are too old.
	for _, section := range []string{"server", "replication", "memory", "persistence"} {
		text, err := server.Info(ctx, section).Result()
		if err != nil {
			found.add(address, err)
			return found
		}
		readFacts(text, facts)
	}
	for _, text := range unsafe(facts, inCluster) {
		found.Warnings = append(found.Warnings, Warning{Node: address, Text: text})
	}
	return found
}

// add tells a server that refuses to talk to us from one that is not there, or not ready.
func (c *Checkup) add(address string, err error) {
	text := err.Error()
	code, _, _ := strings.Cut(text, " ")
	var stranger *tls.CertificateVerificationError
	switch {
	case errors.As(err, &stranger):
		c.Warnings = append(c.Warnings, Warning{address, fmt.Sprintf("is not who it should be (%v); check redis.tls", stranger)})
	case !isReply(err) || slices.Contains([]string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY"}, code):
		c.Absent = append(c.Absent, fmt.Errorf("%s: %w", address, err))
	case strings.Contains(text, "cluster support disabled"):
		c.Warnings = append(c.Warnings, Warning{address, "is no node of a cluster; set redis.cluster: false"})
	case code == "NOPERM":
		c.Warnings = append(c.Warnings, Warning{address, "forbids INFO, which every script asks; allow it: ACL SETUSER <user> +info"})
	default:
		c.Warnings = append(c.Warnings, Warning{address, fmt.Sprintf("refuses us (%s); check redis.login", text)})
	}
}

// readFacts reads the lines of INFO, name:value.
func readFacts(text string, facts map[string]string) {
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			facts[name] = value
		}
	}
}

// unsafe says what is wrong, one sentence each, naming the setting and its remedy. What a server hides is not judged.
func unsafe(facts map[string]string, inCluster bool) []string {
	var found []string
	if role := facts["role"]; role == "slave" {
		found = append(found, fmt.Sprintf("is a replica of %s:%s and refuses writes; name the master in redis.addresses",
			facts["master_host"], facts["master_port"]))
	}
	if mode := facts["redis_mode"]; mode == "cluster" && !inCluster {
		found = append(found, "is a node of a cluster; set redis.cluster: true")
	}
	if policy := facts["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		found = append(found, fmt.Sprintf(
			"has maxmemory-policy %s, so a full Redis forgets what is on sale; set maxmemory-policy noeviction", policy))
	}
	if facts["aof_enabled"] == "0" {
		found = append(found, "has appendonly no, so a restart ends every epoch with nothing left of its outbox; set appendonly yes")
	}
	if version := facts["redis_version"]; old(version) {
		found = append(found, fmt.Sprintf("is Redis %s; only 7.0 and later keep every promise", version))
	}
	return found
}

// old knows the versions before 7, which the scripts were never run on.
func old(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	return len(major) == 1 && major < "7"
}
