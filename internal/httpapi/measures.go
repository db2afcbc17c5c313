package httpapi

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// measures are the edge's metrics. Labels come from routes, statuses and reasons, all of which are closed lists.
type measures struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  map[seckill.Reason]prometheus.Counter
	faults   *prometheus.CounterVec
}

func newMeasures(registerer prometheus.Registerer) *measures {
	m := &measures{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seckill_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "seckill_http_request_seconds", Help: "Time from the header to the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		refused: map[seckill.Reason]prometheus.Counter{},
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seckill_http_faults_total", Help: "Answers that hide an unexpected error or a panic.",
		}, []string{"route"}),
	}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_http_refusals_total", Help: "Refusals by reason.",
	}, []string{"reason"})
	for _, reason := range seckill.Reasons() {
		m.refused[reason] = refused.WithLabelValues(string(reason))
	}
	registerer.MustRegister(m.requests, m.seconds, refused, m.faults)
	return m
}

// routeMeasures are those of one route. What they count under is looked up once and remembered: a look-up by labels costs
// more than the counting.
type routeMeasures struct {
	*measures

	route string
	hot   atomic.Pointer[hotMeasures]
}

// hotMeasures are those of the last method and status that was answered, which the next one most likely has as well.
type hotMeasures struct {
	method  string
	status  int
	seconds prometheus.Observer
	answers prometheus.Counter
}

func (m *measures) of(route string) *routeMeasures { return &routeMeasures{measures: m, route: route} }

func (m *routeMeasures) served(method string, status int, took time.Duration) {
	hot := m.hot.Load()
	if hot == nil || hot.status != status || hot.method != method {
		known := knownMethod(method)
		hot = &hotMeasures{
			method: known, status: status, seconds: m.seconds.WithLabelValues(known, m.route),
			answers: m.requests.WithLabelValues(known, m.route, strconv.Itoa(status)),
		}
		m.hot.Store(hot)
	}
	hot.answers.Inc()
	hot.seconds.Observe(took.Seconds())
}

// knownMethod keeps a client's inventions out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
