package sandbox

import "net/http"

// refundRequest gives a charge back. The amount must be the charge's: who believes otherwise is mistaken about something.
type refundRequest struct {
	Charge      string `json:"charge"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

type refundView struct {
	ID          string `json:"id"`
	Charge      string `json:"charge"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

func (s *Server) refund(w http.ResponseWriter, r *http.Request) error {
	var asked refundRequest
	if err := decode(r, &asked); err != nil {
		return err
	}
	key := r.Header.Get(keyHeader)
	if key == "" || len(key) > referenceMax {
		return invalid("the header %s must be there, with at most %d characters", keyHeader, referenceMax)
	}
	back, err := s.book.refund(s.now(), asked, key)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, refundView{back.Refund, back.Txn, back.AmountMinor, back.Currency})
	return nil
}
