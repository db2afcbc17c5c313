// Package httpapi is the edge that speaks HTTP: two handlers, one for shoppers and one for operators, over the contract in
// api/openapi.yaml. Handlers translate; what is allowed, sold or refused is decided by the use cases they call.
//
// What must stay true:
//
//   - The shoppers' handler knows no operators' call and no metrics.
//   - A handler returns an error and never writes one; refuse (problem.go) is the only place where a reason gets a status.
//   - Whatever a client sends is bounded before it is looked at: header, body, wait, page, time.
//   - Requests are read strictly. A field that is unknown, doubled, null or of another type is refused by its name, because a
//     purchase that was meant otherwise cannot be taken back.
//   - What a payment provider posts is passed on byte by byte, because its signature is over the bytes. It is never logged.
//   - A malformed id is 400 invalid and names the parameter; a well-formed id of nothing, or of somebody else's, is 404.
//   - There is no 500. A fault (a panic, an error that is no refusal) is logged with the request's id and reads busy; while
//     buying it reads unknown_outcome, since nobody can say that nothing happened. seckill_http_faults_total counts them.
//   - A method that a path does not have is 405, with the reason not_found: the list of reasons is closed.
//   - Metrics are labelled by route and status, never by anything a client chose.
package httpapi
