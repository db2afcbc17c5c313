package audit

import "slices"

// Rules are the ids of all findings there can be: a closed list.
func Rules() []string {
	rules := []string{
		"allotment_catalog", ruleAndMore, "ceiling", "charge_without_order", "claim_without_stock", "dispatch_without_event",
		"move_missing", "move_owed", "move_without_stock", "over_limit", "owed_without_stock", "payment_without_order",
		"refund_without_order", "return_claim", "stock_misplaced", "stock_missing", "stock_unknown_item",
	}
	for _, ids := range [][]string{
		idsOfRules(saleRules(), func(r saleRule) string { return r.id }), idsOfRules(itemRules(), func(r itemRule) string { return r.id }),
		idsOfRules(stockRules(), func(r stockRule) string { return r.id }), idsOfRules(redisRules(), func(r redisRule) string { return r.id }),
		idsOfRules(moveRules(), func(r moveRule) string { return r.id }), idsOfRules(claimRules(), func(r claimRule) string { return r.id }),
		idsOfRules(orderRules(), func(r orderRule) string { return r.id }), idsOfRules(paymentRules(), func(r paymentRule) string { return r.id }),
		idsOfRules(chargeRules(), func(r chargeRule) string { return r.id }), idsOfRules(refundRules(), func(r refundRule) string { return r.id }),
		idsOfRules(owedRules(), func(r owedRule) string { return r.id }), idsOfRules(eventRules(), func(r eventRule) string { return r.id }),
		idsOfRules(dispatchRules(), func(r dispatchRule) string { return r.id }),
	} {
		rules = append(rules, ids...)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

func idsOfRules[T any](rules []T, id func(T) string) []string {
	ids := make([]string, len(rules))
	for i, rule := range rules {
		ids[i] = id(rule)
	}
	return ids
}

// closes says whether a rule is about units that are not where the books say. Then nothing more is sold of their item.
func closes(rule string) bool {
	switch rule {
	case "conservation", "negative_units", "claimed", "accounted", "allotment", "lent", "lent_exceeded", "doubt", ruleReturned,
		"high_exceeded", "redis_ahead", "redis_units", "redis_sold":
		return true
	default:
		return false
	}
}

// lasting leaves out what compares a time with the present one: a database's clock that is set back, or another server's
// that takes over, makes the past look like the future for a while.
func lasting(findings []Finding) []Finding {
	return slices.DeleteFunc(findings, func(f Finding) bool {
		switch f.ID {
		case "stock_times", "claim_created", "move_at", "payment_created", "charge_at", "refund_at", "refund_next", "event_at",
			"dispatch_times":
			return true
		default:
			return false
		}
	})
}
