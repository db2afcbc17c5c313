package bank

// Down has the bank answer nobody, or everybody again.
func (b *Bank) Down(down bool) { b.set(&b.down, down) }

// Refuse has it open no payment (seckill.ErrRefused), or open them again.
func (b *Bank) Refuse(refusing bool) { b.set(&b.refusing, refusing) }

// Pending has it give money back without saying so for certain, or say so.
func (b *Bank) Pending(pending bool) { b.set(&b.pending, pending) }

func (b *Bank) set(flag *bool, value bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*flag = value
}
