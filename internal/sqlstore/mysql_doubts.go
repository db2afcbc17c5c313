package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
)

// checkedSettings are the variables of a server that decide what a commit is worth. Not every server has each.
func checkedSettings() []string {
	return []string{"sql_mode", "innodb_flush_log_at_trx_commit", "wsrep_on", "log_bin", "sync_binlog"}
}

// doubts implements dialect. That CHECKs are enforced is tried, not read.
func (mysqlDialect) doubts(version string, settings map[string]string) []string {
	var texts []string
	doubt := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	if kind, oldest, old := tooOld(version); old {
		doubt("%s %s is older than %s, the oldest that is known to work", kind, version, oldest)
	}
	if mode := settings["sql_mode"]; !strings.Contains(mode, "STRICT_TRANS_TABLES") && !strings.Contains(mode, "STRICT_ALL_TABLES") {
		doubt("sql_mode has no STRICT_TRANS_TABLES: wrong data would be bent instead of refused")
	}
	if flush, known := settings["innodb_flush_log_at_trx_commit"]; known && flush != "1" {
		doubt("innodb_flush_log_at_trx_commit is %s, not 1: a crash loses the last second's orders", flush)
	}
	switch logs, known := settings["log_bin"]; {
	case isOn(logs) && settings["sync_binlog"] != "1":
		doubt("sync_binlog is %s, not 1: a power failure loses commits that the binary log should have brought back",
			settings["sync_binlog"])
	case known && !isOn(logs) && !strings.Contains(version, "TiDB"):
		// InnoDB shows a commit first and then writes it down; the binary log makes it the other way round.
		doubt("log_bin is %s: a crash takes back what others have seen and acted upon; set log_bin, and sync_binlog to 1", logs)
	}
	if isOn(settings["wsrep_on"]) {
		doubt("wsrep_on is ON: Galera may lose updates when several of its nodes are written to")
	}
	return texts
}

func isOn(value string) bool { return strings.EqualFold(value, "ON") || value == "1" }

// tooOld compares a server's version with the oldest of its kind. TiDB and Vitess call themselves MySQL 8.
func tooOld(version string) (kind, oldest string, old bool) {
	kind, oldest = "MySQL", "8.0.16"
	switch {
	case strings.Contains(version, "MariaDB"):
		kind, oldest = "MariaDB", "10.11.0"
		version = strings.TrimPrefix(version, "5.5.5-") // what it told old replicas it is
	case strings.Contains(version, "TiDB"), strings.Contains(version, "Vitess"):
		return kind, oldest, false
	}
	have, want := numbersOf(version), numbersOf(oldest)
	for i := range want {
		if have[i] != want[i] {
			return kind, oldest, have[i] < want[i]
		}
	}
	return kind, oldest, false
}

// numbersOf reads "10.11.19-MariaDB-0+deb12u1"; what is missing or no number is 0.
func numbersOf(version string) [3]int {
	var numbers [3]int
	release, _, _ := strings.Cut(version, "-")
	for i, part := range strings.SplitN(release, ".", len(numbers)) {
		numbers[i], _ = strconv.Atoi(part)
	}
	return numbers
}
