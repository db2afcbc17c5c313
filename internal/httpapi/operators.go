package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/operate"
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
	o.route(engine, http.MethodPost, sale+"/pause", operateTimeout, o.operator(o.turnSale(operate.ActPause)))
	o.route(engine, http.MethodPost, sale+"/resume", operateTimeout, o.operator(o.turnSale(operate.ActResume)))
	o.route(engine, http.MethodPost, sale+"/end", operateTimeout, o.operator(o.turnSale(operate.ActEnd)))
	o.route(engine, http.MethodGet, sale+"/stats", operateTimeout, o.operator(o.saleStats))
	o.route(engine, http.MethodGet, sale+"/audit", auditTimeout, o.operator(o.auditSale))
	o.route(engine, http.MethodGet, "/admin/v1/audit", auditTimeout, o.operator(o.auditAll))
	o.correctionRoutes(engine)
	o.eventRoutes(engine)
	o.metrics(engine, gatherer)
}

// correctionRoutes are for what an operator corrects while a sale runs.
func (o *operators) correctionRoutes(engine *gin.Engine) {
	const orders, order = "/admin/v1/orders", "/admin/v1/orders/:order_id"
	const letters, letter = "/admin/v1/dead-letters", "/admin/v1/dead-letters/:letter_id"
	o.route(engine, http.MethodPost, "/admin/v1/items/:item_id/stock", operateTimeout, o.operator(o.adjustStock))
	o.route(engine, http.MethodPost, "/admin/v1/items/:item_id/reopen", operateTimeout, o.operator(o.reopenStock))
	o.route(engine, http.MethodGet, orders, operateTimeout, o.operator(o.listAdminOrders))
	o.route(engine, http.MethodGet, order, operateTimeout, o.operator(o.getAdminOrder))
	o.route(engine, http.MethodPost, order+"/cancel", operateTimeout, o.operator(o.cancelOrder))
	o.route(engine, http.MethodPost, order+"/refund", operateTimeout, o.operator(o.refundOrder))
	o.route(engine, http.MethodGet, letters, operateTimeout, o.operator(o.listLetters))
	o.route(engine, http.MethodGet, letter, operateTimeout, o.operator(o.getLetter))
	o.route(engine, http.MethodPost, letter+"/replay", operateTimeout, o.operator(o.replayLetter))
	o.route(engine, http.MethodPost, letter+"/discard", operateTimeout, o.operator(o.discardLetter))
	o.route(engine, http.MethodGet, "/admin/v1/log", operateTimeout, o.operator(o.listActs))
}
