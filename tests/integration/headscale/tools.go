//go:build tools

// Package tools says which programs the module is for.
package tools

import _ "github.com/juanfont/headscale/cmd/headscale"
