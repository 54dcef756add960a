// client joins a control plane as Tailscale's clients do, without root, and stays until it is ended:
//
//	client -url URL -name NAME -folder FOLDER [-routes PREFIX]    the pre-auth key comes by TS_AUTHKEY
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"tailscale.com/ipn"
	"tailscale.com/tsnet"
)

func main() {
	url := flag.String("url", "", "the control plane")
	name := flag.String("name", "", "host name")
	folder := flag.String("folder", "", "where state is kept")
	route := flag.String("routes", "", "a prefix to advertise")
	flag.Parse()
	node := &tsnet.Server{ControlURL: *url, Hostname: *name, Dir: *folder, Logf: func(string, ...any) {}}
	defer node.Close()
	if _, err := node.Up(context.Background()); err != nil {
		log.Fatal(err)
	}
	if *route != "" {
		local, err := node.LocalClient()
		if err != nil {
			log.Fatal(err)
		}
		prefix := netip.MustParsePrefix(*route)
		if _, err := local.EditPrefs(context.Background(), &ipn.MaskedPrefs{
			Prefs:              ipn.Prefs{AdvertiseRoutes: []netip.Prefix{prefix}},
			AdvertiseRoutesSet: true,
		}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("up")
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}
