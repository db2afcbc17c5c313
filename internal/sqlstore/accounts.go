package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Accounts keeps the built-in accounts on shard 0.
type Accounts struct{ *Store }

var _ seckill.Accounts = Accounts{}

type accountRow struct {
	ID   seckill.ID     `gorm:"column:id;primaryKey"`
	User seckill.UserID `gorm:"column:user_id"`
	Hash string         `gorm:"column:hash"`
}

func (accountRow) TableName() string { return "accounts" }

// Create implements seckill.Accounts.
func (a Accounts) Create(ctx context.Context, account seckill.Account) (bool, error) {
	created, err := a.exec(ctx, catalogShard,
		"INSERT INTO accounts (id, user_id, hash, created_at) VALUES (?, ?, ?, "+a.dialect.now()+")"+a.dialect.skipKnown("id"),
		account.ID, account.User, account.Hash)
	if err != nil {
		return false, fmt.Errorf("create account %s: %w", account.User, err)
	}
	return created == 1, nil
}

// Find implements seckill.Accounts.
func (a Accounts) Find(ctx context.Context, user seckill.UserID) (seckill.Account, error) {
	var row accountRow
	err := a.read(ctx, catalogShard, func(db *gorm.DB) error { return db.Where("user_id = ?", user).Take(&row).Error })
	if err != nil {
		return seckill.Account{}, fmt.Errorf("find account %s: %w", user, err)
	}
	return seckill.Account(row), nil
}
