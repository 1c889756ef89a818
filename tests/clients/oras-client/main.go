// The library of oras, helm and notation, oras-go, as a small command: the test oras.test.ts drives
// it, because the module path of oras itself is not served by every module proxy.
//
//	oras-client push   REPOSITORY:TAG ARTIFACT_TYPE FILE...
//	oras-client attach REPOSITORY:TAG ARTIFACT_TYPE FILE
//	oras-client referrers REPOSITORY:TAG [ARTIFACT_TYPE]
//	oras-client pull   REPOSITORY:TAG DIRECTORY
//	oras-client copy   REPOSITORY:TAG REPOSITORY:TAG
//	oras-client delete REPOSITORY:TAG
//	oras-client tags   REPOSITORY
//
// The user and the password are in ORAS_USERNAME and ORAS_PASSWORD. It speaks plain HTTP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oras "oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/file"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/retry"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: oras-client COMMAND REPOSITORY:TAG ..."))
	}
	ctx := context.Background()
	repository, reference := open(os.Args[2])
	var err error
	switch arguments := os.Args[3:]; os.Args[1] {
	case "push":
		err = push(ctx, repository, reference, arguments[0], nil, arguments[1:])
	case "attach":
		subject, resolveError := repository.Resolve(ctx, reference)
		if resolveError != nil {
			fail(resolveError)
		}
		err = push(ctx, repository, "", arguments[0], &subject, arguments[1:])
	case "referrers":
		err = referrers(ctx, repository, reference, append(arguments, "")[0])
	case "pull":
		err = pull(ctx, repository, reference, arguments[0])
	case "copy":
		target, targetReference := open(arguments[0])
		var root ocispec.Descriptor
		options := oras.DefaultExtendedCopyOptions
		options.MountFrom = func(context.Context, ocispec.Descriptor) ([]string, error) {
			return []string{repository.Reference.Repository}, nil
		}
		root, err = oras.ExtendedCopy(ctx, repository, reference, target, targetReference, options)
		fmt.Println(root.Digest)
	case "delete":
		var root ocispec.Descriptor
		if root, err = repository.Resolve(ctx, reference); err == nil {
			err = repository.Delete(ctx, root)
		}
	case "tags":
		err = repository.Tags(ctx, "", func(tags []string) error {
			for _, tag := range tags {
				fmt.Println(tag)
			}
			return nil
		})
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func open(name string) (*remote.Repository, string) {
	repository, err := remote.NewRepository(name)
	if err != nil {
		fail(err)
	}
	repository.PlainHTTP = true
	repository.Client = &auth.Client{
		Client: retry.DefaultClient,
		Cache:  auth.NewCache(),
		Credential: auth.StaticCredential(repository.Reference.Registry, auth.Credential{
			Username: os.Getenv("ORAS_USERNAME"),
			Password: os.Getenv("ORAS_PASSWORD"),
		}),
	}
	return repository, repository.Reference.Reference
}

func push(ctx context.Context, repository *remote.Repository, tag, artifactType string, subject *ocispec.Descriptor, paths []string) error {
	store, err := file.New("")
	if err != nil {
		return err
	}
	defer store.Close()
	options := oras.PackManifestOptions{Subject: subject}
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		layer, err := store.Add(ctx, filepath.Base(path), "application/octet-stream", absolute)
		if err != nil {
			return err
		}
		options.Layers = append(options.Layers, layer)
	}
	root, err := oras.PackManifest(ctx, store, oras.PackManifestVersion1_1, artifactType, options)
	if err != nil {
		return err
	}
	if err := store.Tag(ctx, root, root.Digest.String()); err != nil {
		return err
	}
	if tag == "" {
		tag = root.Digest.String()
	}
	if _, err := oras.Copy(ctx, store, root.Digest.String(), repository, tag, oras.DefaultCopyOptions); err != nil {
		return err
	}
	fmt.Println(root.Digest)
	return nil
}

func referrers(ctx context.Context, repository *remote.Repository, reference, artifactType string) error {
	subject, err := repository.Resolve(ctx, reference)
	if err != nil {
		return err
	}
	found, err := registry.Referrers(ctx, repository, subject, artifactType)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func pull(ctx context.Context, repository *remote.Repository, reference, directory string) error {
	store, err := file.New(directory)
	if err != nil {
		return err
	}
	defer store.Close()
	root, err := oras.Copy(ctx, repository, reference, store, "", oras.DefaultCopyOptions)
	if err != nil {
		return err
	}
	manifest, err := content.FetchAll(ctx, repository, root)
	if err != nil {
		return err
	}
	fmt.Println(string(manifest))
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
