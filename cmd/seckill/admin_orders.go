package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type adminOrdersCommand struct {
	List   ordersListCommand   `cmd:"" help:"List a user's orders, newest first."`
	Show   ordersShowCommand   `cmd:"" help:"Show one order, its payments, its money and its events."`
	Cancel ordersCancelCommand `cmd:"" help:"Cancel an unpaid order; its units are for sale again."`
	Refund ordersRefundCommand `cmd:"" help:"Give the money of a paid order back."`
}

// orderArgument names one order.
type orderArgument struct {
	Order string `arg:"" placeholder:"ORDER" help:"The id of the order."`
}

// orderAtVersion names one order as the operator saw it, and why something is done to it.
type orderAtVersion struct {
	orderArgument
	Reason    string `required:"" placeholder:"TEXT" help:"Why, for the log."`
	IfVersion int64  `placeholder:"N" help:"Only if the order is still at this version."`
}

type ordersListCommand struct {
	User string `required:"" placeholder:"USER" help:"Whose."`
	pageFlags
}

// Run implements the command.
func (c *ordersListCommand) Run(ctx context.Context, desk *desk) error {
	orders, err := collect(c.pageFlags, func(page adminclient.Page) ([]api.AdminOrder, string, error) {
		list, err := desk.Orders(ctx, c.User, page)
		return list.Data, list.Next, err
	})
	if err != nil {
		return err
	}
	return desk.show(orders, func(table *tabwriter.Writer) {
		printOrders(table, orders.Data...)
		more(table, orders.Next)
	})
}

func printOrders(table *tabwriter.Writer, orders ...api.AdminOrder) {
	row(table, "ORDER", "ITEM", "USER", "UNITS", "AMOUNT", "STATUS", "CREATED", "PAY BY", "PAID", "VERSION")
	for _, o := range orders {
		row(table, o.ID, o.ItemID, o.UserID, o.Quantity, seckill.Amount(o.AmountMinor, o.Currency), o.Status, moment(o.CreatedAt),
			moment(o.PayBy), moment(o.PaidAt), o.Version)
	}
	_ = table.Flush()
}

type ordersShowCommand struct{ orderArgument }

// Run implements the command.
func (c *ordersShowCommand) Run(ctx context.Context, desk *desk) error {
	order, err := desk.Order(ctx, c.Order)
	return desk.showOrder(order, err)
}

// showOrder prints an order and what became of it.
func (d *desk) showOrder(order api.AdminOrder, err error) error {
	if err != nil {
		return err
	}
	return d.show(order, func(table *tabwriter.Writer) {
		printOrders(table, order)
		printMoney(table, order)
		row(table, "VERSION", "STATUS", "CAUSE", "AT")
		for _, e := range order.Events {
			row(table, e.Version, e.Status, e.Cause, moment(e.At))
		}
	})
}

// printMoney prints what was tried, what came and what goes back; what there is none of is left out.
func printMoney(table *tabwriter.Writer, order api.AdminOrder) {
	if len(order.Payments) > 0 {
		row(table, "PAYMENT", "PROVIDER", "SESSION", "STATUS", "AMOUNT", "CREATED")
	}
	for _, p := range order.Payments {
		row(table, p.ID, p.Provider, p.Session, p.Status, seckill.Amount(p.AmountMinor, p.Currency), moment(p.CreatedAt))
	}
	_ = table.Flush()
	if len(order.Charges) > 0 {
		row(table, "CHARGE", "PROVIDER", "AMOUNT", "AT", "PAYS THE ORDER")
	}
	for _, c := range order.Charges {
		row(table, c.Txn, c.Provider, seckill.Amount(c.AmountMinor, c.Currency), moment(c.At), pays(c))
	}
	_ = table.Flush()
	if len(order.Refunds) > 0 {
		row(table, "REFUND OF", "PROVIDER", "AMOUNT", "REASON", "RESTOCK", "STATUS", "SINCE", "DONE", "FAILURES", "LAST ONE")
	}
	for _, r := range order.Refunds {
		row(table, r.Txn, r.Provider, seckill.Amount(r.AmountMinor, r.Currency), r.Reason, r.Restock, r.Status, moment(r.At), moment(r.DoneAt),
			r.Tries, r.Failure)
	}
	_ = table.Flush()
}

// pays says whether a charge is the order's money, or why it went back at once.
func pays(charge api.AdminCharge) string {
	if charge.Refund == "" {
		return "yes"
	}
	return fmt.Sprintf("no: %s", charge.Refund)
}

type ordersCancelCommand struct{ orderAtVersion }

// Run implements the command.
func (c *ordersCancelCommand) Run(ctx context.Context, desk *desk) error {
	order, err := desk.CancelOrder(ctx, c.Order, c.IfVersion, api.CancelOrder{Reason: c.Reason})
	return desk.showOrder(order, err)
}

type ordersRefundCommand struct {
	orderAtVersion
	Restock bool `help:"Its units are for sale again once the money is back."`
}

// Run implements the command.
func (c *ordersRefundCommand) Run(ctx context.Context, desk *desk) error {
	order, err := desk.RefundOrder(ctx, c.Order, c.IfVersion, api.RefundOrder{Reason: c.Reason, Restock: c.Restock})
	return desk.showOrder(order, err)
}
