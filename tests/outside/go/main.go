// Checks a ledger's files (C2SP tlog-tiles) with nothing of the program that wrote them: the Go
// toolchain's own golang.org/x/mod/sumdb/tlog and note. Usage: ledger FOLDER [FLIPS]; a line of
// FLIPS is NAME BYTE BIT, and with that bit of that file changed the check must refuse.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type ledger struct {
	folder  string
	changed map[string][]byte
	cache   map[string][]byte
}

func (l *ledger) read(name string) ([]byte, error) {
	if data, ok := l.changed[name]; ok {
		return data, nil
	}
	if data, ok := l.cache[name]; ok {
		return data, nil
	}
	data, err := os.ReadFile(filepath.Join(l.folder, name))
	if err == nil {
		l.cache[name] = data
	}
	return data, err
}

// path is C2SP's: Go's own spells the tile's height as well.
func path(level string, n int64, width int) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	if width < 256 {
		return fmt.Sprintf("tile/%s/%s.p/%d", level, text, width)
	}
	return fmt.Sprintf("tile/%s/%s", level, text)
}

func (l *ledger) tile(t tlog.Tile) ([]byte, error) {
	return l.read(path(strconv.Itoa(t.L), t.N, t.W))
}

// Height, ReadTiles and SaveTiles make the files a tlog.TileReader, which believes no tile that
// does not hash to the root.
func (l *ledger) Height() int { return 8 }

func (l *ledger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := l.tile(t)
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%v: %d bytes", t, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (l *ledger) SaveTiles([]tlog.Tile, [][]byte) {}

// strict refuses base64 with loose bits at its end, which package note reads over.
func strict(text string) error {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Split(line, " ")
		last := words[len(words)-1]
		if strings.HasPrefix(line, "\u2014 ") {
			if _, err := base64.StdEncoding.Strict().DecodeString(last); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *ledger) open(data []byte, keys note.Verifiers) (tlog.Tree, error) {
	var tree tlog.Tree
	if err := strict(string(data)); err != nil {
		return tree, err
	}
	opened, err := note.Open(data, keys)
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || len(opened.UnverifiedSigs) != 0 || lines[0] != opened.Sigs[0].Name {
		return tree, errors.New("not a checkpoint of this log alone")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func entries(data []byte, width int) ([][]byte, error) {
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("an entry is cut short")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all, data = append(all, data[2:end]), data[end:]
	}
	if len(all) != width {
		return nil, fmt.Errorf("%d entries, not %d", len(all), width)
	}
	return all, nil
}

func (l *ledger) check() (string, error) {
	vkey, err := l.read("log.vkey")
	if err != nil {
		return "", err
	}
	verifier, err := note.NewVerifier(string(vkey))
	if err != nil {
		return "", err
	}
	keys := note.VerifierList(verifier)
	signed, err := l.read("checkpoint")
	if err != nil {
		return "", err
	}
	tree, err := l.open(signed, keys)
	if err != nil {
		return "", err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, n := range indexes {
			found = append(found, stored[n])
		}
		return found, nil
	})
	var all [][]byte
	for n := int64(0); n*256 < tree.N; n++ {
		width := int(min(256, tree.N-n*256))
		data, err := l.read(path("entries", n, width))
		if err != nil {
			return "", err
		}
		part, err := entries(data, width)
		if err != nil {
			return "", err
		}
		for _, entry := range part {
			more, err := tlog.StoredHashes(int64(len(all)), entry, reader)
			if err != nil {
				return "", err
			}
			all, stored = append(all, entry), append(stored, more...)
		}
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", errors.New("the entries do not hash to the checkpoint's root")
	}
	tiles := tlog.NewTiles(8, 0, tree.N)
	for _, t := range tiles {
		want, err := tlog.ReadTileData(t, reader)
		if err != nil {
			return "", err
		}
		if got, err := l.tile(t); err != nil || !bytes.Equal(got, want) {
			return "", fmt.Errorf("%v is not what the entries hash to: %v", t, err)
		}
	}
	proofs, err := l.inclusion(tree, keys, all)
	if err != nil {
		return "", err
	}
	earlier, err := l.consistency(tree, keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ok: %d entries, %d tiles, %d inclusion proofs, %d consistency proofs", tree.N, len(tiles), proofs, earlier), nil
}

func (l *ledger) inclusion(tree tlog.Tree, keys note.Verifiers, all [][]byte) (int, error) {
	names, err := filepath.Glob(filepath.Join(l.folder, "proofs/*.tlog-proof"))
	if err != nil {
		return 0, err
	}
	// Hashes out of tiles, each authenticated against the root.
	tiles := tlog.TileHashReader(tree, l)
	for _, name := range names {
		name = filepath.Base(name)
		data, err := l.read("proofs/" + name)
		if err != nil {
			return 0, err
		}
		head, signed, found := strings.Cut(string(data), "\n\n")
		lines := strings.Split(head, "\n")
		index, err := strconv.ParseInt(strings.TrimSuffix(name, ".tlog-proof"), 10, 64)
		if err != nil || !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
			return 0, fmt.Errorf("%s: not a proof of its place", name)
		}
		under, err := l.open([]byte(signed), keys)
		if err != nil || under != tree || index >= tree.N {
			return 0, fmt.Errorf("%s: another checkpoint: %v", name, err)
		}
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			bare, err := base64.StdEncoding.Strict().DecodeString(line)
			if err != nil || len(bare) != tlog.HashSize {
				return 0, fmt.Errorf("%s: not a hash: %v", name, err)
			}
			proof = append(proof, tlog.Hash(bare))
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(all[index])); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		own, err := tlog.ProveRecord(tree.N, index, tiles)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(own, tree.N, tree.Hash, index, tlog.RecordHash(all[index])); err != nil {
			return 0, fmt.Errorf("%s: out of tiles: %w", name, err)
		}
	}
	return len(names), nil
}

func (l *ledger) consistency(tree tlog.Tree, keys note.Verifiers) (int, error) {
	names, err := filepath.Glob(filepath.Join(l.folder, "earlier/*.checkpoint"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".checkpoint")
		signed, err := l.read("earlier/" + name + ".checkpoint")
		if err != nil {
			return 0, err
		}
		old, err := l.open(signed, keys)
		if err != nil {
			return 0, err
		}
		data, err := l.read("earlier/" + name + ".hashes")
		if err != nil {
			return 0, err
		}
		text, whole := strings.CutSuffix(string(data), "\n")
		if !whole {
			return 0, fmt.Errorf("%s: the last line does not end", name)
		}
		var proof tlog.TreeProof
		for _, line := range strings.Split(text, "\n") {
			bare, err := hex.DecodeString(line)
			if err != nil || len(bare) != tlog.HashSize || hex.EncodeToString(bare) != line {
				return 0, fmt.Errorf("%s: not a hash: %v", name, err)
			}
			proof = append(proof, tlog.Hash(bare))
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	return len(names), nil
}

func (l *ledger) flips(text string) error {
	made, refused := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var name string
		var at, bit int
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &at, &bit); err != nil {
			return err
		}
		l.changed = nil
		data, err := l.read(name)
		if err != nil {
			return err
		}
		data = bytes.Clone(data)
		data[at] ^= 1 << bit
		l.changed = map[string][]byte{name: data}
		made++
		if _, err := l.check(); err != nil {
			refused++
		} else {
			fmt.Fprintln(os.Stderr, "passed:", line)
		}
	}
	if made != refused {
		return fmt.Errorf("refused only %d of %d flips", refused, made)
	}
	fmt.Printf("refused %d of %d flips\n", refused, made)
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: ledger FOLDER [FLIPS]")
		os.Exit(2)
	}
	l := &ledger{folder: os.Args[1], cache: map[string][]byte{}}
	var err error
	if len(os.Args) > 2 {
		var text []byte
		if text, err = os.ReadFile(os.Args[2]); err == nil {
			err = l.flips(string(text))
		}
	} else {
		var told string
		if told, err = l.check(); err == nil {
			fmt.Println(told)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
