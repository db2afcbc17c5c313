package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// operators is the handler of the operators' listener.
type operators struct {
	*edge
	keys       OperatorKeys
	operations Operations
	audit      Audit
}

func (o *operators) routes(engine *gin.Engine, gatherer prometheus.Gatherer) {
	const sales, sale = "/admin/v1/sales", "/admin/v1/sales/:sale_id"
	o.route(engine, http.MethodPost, sales, operateTimeout, o.operator(o.createSale))
	o.route(engine, http.MethodGet, sales, operateTimeout, o.operator(o.listSales))
	o.route(engine, http.MethodGet, sale, operateTimeout, o.operator(o.getSale))
	o.route(engine, http.MethodPatch, sale, operateTimeout, o.operator(o.updateSale))
	o.route(engine, http.MethodDelete, sale, operateTimeout, o.operator(o.deleteSale))
	o.route(engine, http.MethodPost, sale+"/preload", operateTimeout, o.operator(o.preloadSale))
	o.route(engine, http.MethodPost, sale+"/pause", operateTimeout, o.operator(o.act(o.operations.Pause)))
	o.route(engine, http.MethodPost, sale+"/resume", operateTimeout, o.operator(o.act(o.operations.Resume)))
	o.route(engine, http.MethodPost, sale+"/end", operateTimeout, o.operator(o.act(o.operations.End)))
	o.route(engine, http.MethodGet, sale+"/stats", operateTimeout, o.operator(o.saleStats))
	o.route(engine, http.MethodGet, sale+"/audit", auditTimeout, o.operator(o.auditSale))
	o.route(engine, http.MethodGet, "/admin/v1/audit", auditTimeout, o.operator(o.auditAll))
	o.metrics(engine, gatherer)
}
