// Command bench measures the product against what stands beside it on the same machine, in one sitting: `make bench`. It
// starts private servers, lets one side after the other run alone beside them, round by round (A B A B), and writes medians,
// spread and the ratios that issue trackers argue about to loadtest/results. `make bench QUICK=1` is a look: shorter, one
// round, the same names.
//
// The sides. gin: an empty handler with an answer of the product's size (loadtest/bench/gin). naive: the simplest correct way to
// accept a purchase (loadtest/bench/naive). insert: bare multi-row inserts of the same rows into the same tables
// (loadtest/bench/insert). single: one EVALSHA of the product's script per reservation (loadtest/bench/reserve). Each is a
// process of its own, started afresh for each round, as the product's api, keeper and worker are. One generator
// (loadtest/bench/load) sends the same bytes to all: a token per shopper, one unit each, none twice of an item. An answer with
// another status than it should have fails the run, and so does a finding of the audit, which is run after each of the
// product's measurements.
//
// The figures, all with 512 connections unless said otherwise:
//
//   - accept_vs_naive, accept_vs_gin: closed loop, 202 per second after a second of warming up. The product runs an api and a keeper; no
//     worker is started, so the queue takes everything.
//   - settle_vs_insert: then one worker is started; orders per second from the first look (every 10 ms) that saw a claim to the one
//     that saw the last order, against rows inserted for 5 s by four writers.
//   - refuse_vs_gin: closed loop on an item whose only unit is sold; 409 per second.
//   - sustained_vs_naive, sustained_orders_per_s: api, keeper and one worker. A rate is held when an open loop of 5 s at it is answered 202
//     throughout, the last answer comes at most 0.5 s late, and the last order is in SQL at most 2 s after that. A closed loop with the
//     time that its backlog takes says where to begin; from there up by 10 % until a rate is not held, or down until one is. The
//     value is the highest rate that was held, as answered.
//   - reserve_vs_single, reserve_per_s: 64 callers of the Redis adapter, 256 reservations per call against one, closed item outboxes
//     aside: neither side marks batches as settled.
//   - accept_p99_ms: open loop at half of the median of accept, with a worker, from the moment a request was due.
//     queued_to_ordered_p99_ms: in the same run, from a queued answer to that of a long poll that says ordered, for one purchase of 64.
//   - redis_bytes_per_buyer: MEMORY USAGE of all keys of an item with its buyers and an empty outbox, less without, per buyer.
//   - cost_growth: processor time of api and Redis per queued answer (closed loop, no worker), of one item among 1,000 live ones that has
//     1,000,000 buyers already / of the only item with 1,000. Two installations on the same servers, of which one runs at a time.
//   - embedded_vs_naive: `seckill up`, closed loop, everything in one process; it makes the orders meanwhile.
//
// `make bench SCALE=1` is another run, with a report of its own (scale.json): how costs grow, up to limits that an ordinary run has
// no time for. Its figures have no targets, and one round. A size that the machine has no room for is left out, and said.
//
//   - accept_per_s_at_N, accept_api_us_at_N, accept_closed_p99_ms_at_N, api_mib_at_N: closed loop over N connections, no worker, fresh processes;
//     queued answers per second, processor time of the api for each, their p99 (in a closed loop that is mostly N divided by the
//     rate), and the peak of the api's resident memory. api_kib_per_connection is what that grows by for each connection more.
//   - items_us_at_N, spread_us_at_N: processor time of api and Redis per queued answer with N items live, all purchases of one of them, or
//     of all in turn. Spread over many items a batch holds few purchases, at last one, and on a full machine some items may be busy for a moment:
//     spread_queued_percent_at_N is how many answers were not.
//   - buyers_us_at_N, redis_bytes_at_N: the same of an item that N shoppers have bought, and what those take of Redis' memory.
//   - settle_empty_per_s, settle_full_per_s, settle_empty_mariadbd_us, settle_full_mariadbd_us: drain of 100,000 orders into empty tables; then ten
//     million users are given one paid order of the past each, with its claim and two events (fill_s, full_gb), the database has written
//     all of it, counted its tables and read the orders' index of users, and the drain is repeated with buyers scattered among those users. full_get_order_p99_ms and full_list_orders_p99_ms are reads of those
//     orders, each by its own user, 1,000 a second in an open loop.
//
// The product is set as by default, but for two bounds on the backlog, because nobody works it off while no worker runs, the
// profile "development", which refuses less at the start, and the profiles that --profile reads.
package main
