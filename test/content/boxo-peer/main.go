// Command boxo-peer is a second implementation to test the content store against: the library that Kubo is made of
// builds the same directories, serves them from its own gateway, and takes CARs.
//
//	boxo-peer FOLDER...   prints, as JSON, the CID of each folder and the address of a gateway that serves them
//
// The gateway also answers the RPC calls block/get, dag/import, pin/ls and version. It ends when stdin closes.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	chunker "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/gateway"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	unixfsio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	format "github.com/ipfs/go-ipld-format"
	"github.com/ipld/go-car/v2"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func addFile(dag format.DAGService, path string) (format.Node, error) {
	profile := unixfsio.UnixFS_v1_2025
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	params := helpers.DagBuilderParams{
		Dagserv:    dag,
		RawLeaves:  profile.RawLeaves,
		Maxlinks:   profile.FileDAGWidth,
		CidBuilder: profile.CidBuilder(),
	}
	builder, err := params.New(chunker.NewSizeSplitter(file, profile.ChunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(builder)
}

func addFolder(ctx context.Context, dag format.DAGService, folder string) (cid.Cid, error) {
	directory, err := unixfsio.NewDirectory(dag, unixfsio.WithCidBuilder(unixfsio.UnixFS_v1_2025.CidBuilder()))
	if err != nil {
		return cid.Undef, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return cid.Undef, err
	}
	for _, entry := range entries {
		node, err := addFile(dag, filepath.Join(folder, entry.Name()))
		if err != nil {
			return cid.Undef, err
		}
		if err := directory.AddChild(ctx, entry.Name(), node); err != nil {
			return cid.Undef, err
		}
	}
	node, err := directory.GetNode()
	if err != nil {
		return cid.Undef, err
	}
	return node.Cid(), dag.Add(ctx, node)
}

func main() {
	ctx := context.Background()
	unixfsio.UnixFS_v1_2025.ApplyGlobals()
	blocks := blockstore.NewIdStore(blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore())))
	service := blockservice.New(blocks, offline.Exchange(blocks))
	dag := merkledag.NewDAGService(service)
	roots := map[string]string{}
	pins := map[string]map[string]string{}
	for _, folder := range os.Args[1:] {
		root, err := addFolder(ctx, dag, folder)
		check(err)
		roots[folder] = root.String()
	}
	backend, err := gateway.NewBlocksBackend(service)
	check(err)
	mux := http.NewServeMux()
	mux.Handle("/ipfs/", gateway.NewHandler(gateway.Config{DeserializedResponses: true, NoDNSLink: true}, backend))
	mux.HandleFunc("POST /api/v0/version", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"Version": "boxo"})
	})
	mux.HandleFunc("POST /api/v0/pin/ls", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"Keys": pins})
	})
	fail := func(w http.ResponseWriter, err error) {
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]any{"Message": err.Error(), "Code": 0, "Type": "error"})
	}
	mux.HandleFunc("POST /api/v0/block/get", func(w http.ResponseWriter, r *http.Request) {
		id, err := cid.Decode(r.URL.Query().Get("arg"))
		if err != nil {
			fail(w, err)
			return
		}
		block, err := service.GetBlock(r.Context(), id)
		if err != nil {
			fail(w, err)
			return
		}
		_, _ = w.Write(block.RawData())
	})
	mux.HandleFunc("POST /api/v0/dag/import", func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("file")
		if err != nil {
			fail(w, err)
			return
		}
		reader, err := car.NewBlockReader(file)
		if err != nil {
			fail(w, err)
			return
		}
		for {
			block, err := reader.Next() // verifies the hash
			if err == io.EOF {
				break
			}
			if err == nil {
				err = blocks.Put(r.Context(), block)
			}
			if err != nil {
				fail(w, err)
				return
			}
		}
		for _, root := range reader.Roots {
			pins[root.String()] = map[string]string{"Type": "recursive"}
			_ = json.NewEncoder(w).Encode(map[string]any{"Root": map[string]any{"Cid": root, "PinErrorMsg": ""}})
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"url": "http://" + listener.Addr().String(), "roots": roots}))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	check(http.Serve(listener, mux))
}
