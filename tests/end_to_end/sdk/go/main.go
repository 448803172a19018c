// The Go module kubemq-go v1.7.7, driven by lines of JSON; ../README.md says which.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	kubemq "github.com/kubemq-io/kubemq-go"
	"github.com/kubemq-io/kubemq-go/queues_stream"
)

type operation struct {
	Id      int               `json:"id"`
	Op      string            `json:"op"`
	Kind    string            `json:"kind"`
	Channel string            `json:"channel"`
	Group   string            `json:"group"`
	Body    string            `json:"body"`
	Answer  string            `json:"answer"`
	Seconds int               `json:"seconds"`
	Tags    map[string]string `json:"tags"`
	Delay   int               `json:"delay"`
	Max     int               `json:"max"`
	Dead    string            `json:"dead"`
	Then    string            `json:"then"`
	To      string            `json:"to"`
}

type line map[string]interface{}

var stdout sync.Mutex

func say(what line) {
	stdout.Lock()
	defer stdout.Unlock()
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

type program struct {
	client   *kubemq.Client
	queues   *queues_stream.QueuesStreamClient
	clientId string
}

func connect(ctx context.Context, address, clientId string) (*program, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	client, err := kubemq.NewClient(ctx, kubemq.WithAddress(host, port), kubemq.WithClientId(clientId),
		kubemq.WithTransportType(kubemq.TransportTypeGRPC), kubemq.WithAutoReconnect(true),
		kubemq.WithReconnectInterval(time.Second), kubemq.WithCheckConnection(true),
		kubemq.WithAuthToken(os.Getenv("SDK_KEY")))
	if err != nil {
		return nil, err
	}
	queues, err := queues_stream.NewQueuesStreamClient(ctx, queues_stream.WithAddress(host, port),
		queues_stream.WithClientId(clientId), queues_stream.WithAuthToken(os.Getenv("SDK_KEY")))
	return &program{client, queues, clientId}, err
}

func (p *program) ping(ctx context.Context) (line, error) {
	info, err := p.client.Ping(ctx)
	if err != nil {
		return nil, err
	}
	return line{"host": info.Host, "version": info.Version}, nil
}

func (p *program) query(ctx context.Context, op operation) (line, error) {
	reply, err := p.client.Q().SetChannel(op.Channel).SetBody([]byte(op.Body)).SetTags(op.Tags).
		SetTimeout(time.Duration(op.Seconds) * time.Second).Send(ctx)
	if err != nil {
		return nil, err
	}
	return line{"executed": reply.Executed, "error": reply.Error, "body": string(reply.Body), "tags": reply.Tags}, nil
}

func (p *program) command(ctx context.Context, op operation) (line, error) {
	reply, err := p.client.C().SetChannel(op.Channel).SetBody([]byte(op.Body)).SetTags(op.Tags).
		SetTimeout(time.Duration(op.Seconds) * time.Second).Send(ctx)
	if err != nil {
		return nil, err
	}
	return line{"executed": reply.Executed, "error": reply.Error}, nil
}

func (p *program) event(ctx context.Context, op operation) (line, error) {
	return line{}, p.client.E().SetChannel(op.Channel).SetBody([]byte(op.Body)).SetTags(op.Tags).Send(ctx)
}

func (p *program) respond(ctx context.Context, kind, id, to, body, answer string) {
	say(line{"handled": body, "kind": kind})
	response := p.client.R().SetRequestId(id).SetResponseTo(to).SetExecutedAt(time.Now())
	if kind == "query" {
		response.SetBody([]byte(answer + body))
	}
	if err := response.Send(ctx); err != nil {
		say(line{"trouble": err.Error()})
	}
}

func (p *program) serve(ctx context.Context, op operation) (line, error) {
	errors := make(chan error, 1)
	go p.report(errors)
	if op.Kind == "query" {
		queries, err := p.client.SubscribeToQueries(ctx, op.Channel, op.Group, errors)
		if err != nil {
			return nil, err
		}
		go func() {
			for query := range queries {
				p.respond(ctx, op.Kind, query.Id, query.ResponseTo, string(query.Body), op.Answer)
			}
		}()
		return line{}, nil
	}
	commands, err := p.client.SubscribeToCommands(ctx, op.Channel, op.Group, errors)
	if err != nil {
		return nil, err
	}
	go func() {
		for command := range commands {
			p.respond(ctx, op.Kind, command.Id, command.ResponseTo, string(command.Body), "")
		}
	}()
	return line{}, nil
}

func (p *program) subscribe(ctx context.Context, op operation) (line, error) {
	errors := make(chan error, 1)
	go p.report(errors)
	events, err := p.client.SubscribeToEvents(ctx, op.Channel, op.Group, errors)
	if err != nil {
		return nil, err
	}
	go func() {
		for event := range events {
			say(line{"event": string(event.Body)})
		}
	}()
	return line{}, nil
}

func (p *program) enqueue(ctx context.Context, op operation) (line, error) {
	message := p.client.QM().SetChannel(op.Channel).SetBody([]byte(op.Body)).SetTags(op.Tags).
		SetPolicyDelaySeconds(op.Delay).SetPolicyMaxReceiveCount(op.Max).SetPolicyMaxReceiveQueue(op.Dead)
	result, err := message.Send(ctx)
	if err != nil {
		return nil, err
	}
	return line{"error": result.Error}, nil
}

func (p *program) dequeue(ctx context.Context, op operation) (line, error) {
	failures := make(chan error, 8)
	request := queues_stream.NewPollRequest().SetChannel(op.Channel).SetMaxItems(1).
		SetWaitTimeout(op.Seconds * 1000).SetAutoAck(false).SetOnErrorFunc(func(err error) { failures <- err })
	response, err := p.queues.Poll(ctx, request)
	if err != nil || !response.HasMessages() {
		return line{}, err
	}
	message := response.Messages[0]
	switch op.Then {
	case "ack":
		err = message.Ack()
	case "nack":
		err = message.NAck()
	case "requeue":
		err = message.ReQueue(op.To)
	}
	if err != nil {
		return nil, err
	}
	return line{"body": string(message.Body), "count": message.Attributes.ReceiveCount,
		"rerouted": message.Attributes.ReRouted, "tags": message.Tags}, nil
}

func (p *program) receive(ctx context.Context, op operation, isPeak bool) (line, error) {
	seconds := 1
	if op.Seconds > 0 {
		seconds = op.Seconds
	}
	response, err := p.client.RQM().SetChannel(op.Channel).SetMaxNumberOfMessages(op.Max).
		SetWaitTimeSeconds(seconds).SetIsPeak(isPeak).Send(ctx)
	if err != nil {
		return nil, err
	}
	if response.IsError {
		return nil, fmt.Errorf("%s", response.Error)
	}
	bodies := []string{}
	for _, message := range response.Messages {
		bodies = append(bodies, string(message.Body))
	}
	return line{"bodies": bodies}, nil
}

func (p *program) report(errors chan error) {
	for err := range errors {
		say(line{"trouble": err.Error()})
	}
}

func (p *program) run(ctx context.Context, op operation) (line, error) {
	switch op.Op {
	case "ping":
		return p.ping(ctx)
	case "query":
		return p.query(ctx, op)
	case "command":
		return p.command(ctx, op)
	case "event":
		return p.event(ctx, op)
	case "serve":
		return p.serve(ctx, op)
	case "subscribe":
		return p.subscribe(ctx, op)
	case "enqueue":
		return p.enqueue(ctx, op)
	case "dequeue":
		return p.dequeue(ctx, op)
	case "pull":
		return p.receive(ctx, op, false)
	case "peek":
		return p.receive(ctx, op, true)
	}
	return nil, fmt.Errorf("no operation %s", op.Op)
}

func main() {
	ctx := context.Background()
	p, err := connect(ctx, os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	say(line{"ready": true})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var op operation
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer, err := p.run(ctx, op)
		if err != nil {
			answer = line{"raised": err.Error()}
		}
		answer["id"] = op.Id
		say(answer)
	}
}
