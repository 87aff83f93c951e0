import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace tidegate. */
export namespace tidegate {

    /** Namespace device. */
    namespace device {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of an Uplink.
             * @deprecated Use tidegate.device.v1.Uplink.$Properties instead.
             */
            interface IUplink extends tidegate.device.v1.Uplink.$Properties {
            }

            /** Represents an Uplink. */
            class Uplink {

                /**
                 * Constructs a new Uplink.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Uplink.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Uplink seq. */
                seq: number;

                /** Uplink gap. */
                gap: number;

                /** Uplink hello. */
                hello?: (tidegate.device.v1.Hello.$Properties|null);

                /** Uplink heartbeat. */
                heartbeat?: (tidegate.device.v1.Heartbeat.$Properties|null);

                /** Uplink telemetry. */
                telemetry?: (tidegate.device.v1.Telemetry.$Properties|null);

                /** Uplink commandUpdate. */
                commandUpdate?: (tidegate.device.v1.CommandUpdate.$Properties|null);

                /** Uplink catalog. */
                catalog?: (tidegate.device.v1.Catalog.$Properties|null);

                /** Uplink bye. */
                bye?: (tidegate.device.v1.Bye.$Properties|null);

                /** Uplink log. */
                log?: (tidegate.device.v1.Log.$Properties|null);

                /** Uplink body. */
                body?: ("hello"|"heartbeat"|"telemetry"|"commandUpdate"|"catalog"|"bye"|"log");

                /**
                 * Encodes the specified Uplink message. Does not implicitly {@link tidegate.device.v1.Uplink.verify|verify} messages.
                 * @param message Uplink message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Uplink.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Uplink message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Uplink & tidegate.device.v1.Uplink.$Shape} Uplink
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Uplink & tidegate.device.v1.Uplink.$Shape;
            }

            namespace Uplink {

                /** Properties of an Uplink. */
                interface $Properties {

                    /** Uplink seq */
                    seq?: (number|null);

                    /** Uplink gap */
                    gap?: (number|null);

                    /** Uplink hello */
                    hello?: (tidegate.device.v1.Hello.$Properties|null);

                    /** Uplink heartbeat */
                    heartbeat?: (tidegate.device.v1.Heartbeat.$Properties|null);

                    /** Uplink telemetry */
                    telemetry?: (tidegate.device.v1.Telemetry.$Properties|null);

                    /** Uplink commandUpdate */
                    commandUpdate?: (tidegate.device.v1.CommandUpdate.$Properties|null);

                    /** Uplink catalog */
                    catalog?: (tidegate.device.v1.Catalog.$Properties|null);

                    /** Uplink bye */
                    bye?: (tidegate.device.v1.Bye.$Properties|null);

                    /** Uplink log */
                    log?: (tidegate.device.v1.Log.$Properties|null);

                    /** Uplink body */
                    body?: ("hello"|"heartbeat"|"telemetry"|"commandUpdate"|"catalog"|"bye"|"log");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of an Uplink. */
                type $Shape = {
                  seq?: number|null;
                  gap?: number|null;
                  hello?: tidegate.device.v1.Hello.$Shape|null;
                  heartbeat?: tidegate.device.v1.Heartbeat.$Shape|null;
                  telemetry?: tidegate.device.v1.Telemetry.$Shape|null;
                  commandUpdate?: tidegate.device.v1.CommandUpdate.$Shape|null;
                  catalog?: tidegate.device.v1.Catalog.$Shape|null;
                  bye?: tidegate.device.v1.Bye.$Shape|null;
                  log?: tidegate.device.v1.Log.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; hello?: null; heartbeat?: null; telemetry?: null; commandUpdate?: null; catalog?: null; bye?: null; log?: null }|{ body?: "hello"; hello: tidegate.device.v1.Hello.$Shape; heartbeat?: null; telemetry?: null; commandUpdate?: null; catalog?: null; bye?: null; log?: null }|{ body?: "heartbeat"; hello?: null; heartbeat: tidegate.device.v1.Heartbeat.$Shape; telemetry?: null; commandUpdate?: null; catalog?: null; bye?: null; log?: null }|{ body?: "telemetry"; hello?: null; heartbeat?: null; telemetry: tidegate.device.v1.Telemetry.$Shape; commandUpdate?: null; catalog?: null; bye?: null; log?: null }|{ body?: "commandUpdate"; hello?: null; heartbeat?: null; telemetry?: null; commandUpdate: tidegate.device.v1.CommandUpdate.$Shape; catalog?: null; bye?: null; log?: null }|{ body?: "catalog"; hello?: null; heartbeat?: null; telemetry?: null; commandUpdate?: null; catalog: tidegate.device.v1.Catalog.$Shape; bye?: null; log?: null }|{ body?: "bye"; hello?: null; heartbeat?: null; telemetry?: null; commandUpdate?: null; catalog?: null; bye: tidegate.device.v1.Bye.$Shape; log?: null }|{ body?: "log"; hello?: null; heartbeat?: null; telemetry?: null; commandUpdate?: null; catalog?: null; bye?: null; log: tidegate.device.v1.Log.$Shape })
                );
            }

            /**
             * Properties of a Downlink.
             * @deprecated Use tidegate.device.v1.Downlink.$Properties instead.
             */
            interface IDownlink extends tidegate.device.v1.Downlink.$Properties {
            }

            /** Represents a Downlink. */
            class Downlink {

                /**
                 * Constructs a new Downlink.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Downlink.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Downlink welcome. */
                welcome?: (tidegate.device.v1.Welcome.$Properties|null);

                /** Downlink ack. */
                ack?: (tidegate.device.v1.Ack.$Properties|null);

                /** Downlink nack. */
                nack?: (tidegate.device.v1.Nack.$Properties|null);

                /** Downlink heartbeat. */
                heartbeat?: (tidegate.device.v1.Heartbeat.$Properties|null);

                /** Downlink command. */
                command?: (tidegate.device.v1.Command.$Properties|null);

                /** Downlink flow. */
                flow?: (tidegate.device.v1.Flow.$Properties|null);

                /** Downlink bye. */
                bye?: (tidegate.device.v1.Bye.$Properties|null);

                /** Downlink sayHello. */
                sayHello?: (tidegate.device.v1.SayHello.$Properties|null);

                /** Downlink body. */
                body?: ("welcome"|"ack"|"nack"|"heartbeat"|"command"|"flow"|"bye"|"sayHello");

                /**
                 * Encodes the specified Downlink message. Does not implicitly {@link tidegate.device.v1.Downlink.verify|verify} messages.
                 * @param message Downlink message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Downlink.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Downlink message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Downlink & tidegate.device.v1.Downlink.$Shape} Downlink
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Downlink & tidegate.device.v1.Downlink.$Shape;
            }

            namespace Downlink {

                /** Properties of a Downlink. */
                interface $Properties {

                    /** Downlink welcome */
                    welcome?: (tidegate.device.v1.Welcome.$Properties|null);

                    /** Downlink ack */
                    ack?: (tidegate.device.v1.Ack.$Properties|null);

                    /** Downlink nack */
                    nack?: (tidegate.device.v1.Nack.$Properties|null);

                    /** Downlink heartbeat */
                    heartbeat?: (tidegate.device.v1.Heartbeat.$Properties|null);

                    /** Downlink command */
                    command?: (tidegate.device.v1.Command.$Properties|null);

                    /** Downlink flow */
                    flow?: (tidegate.device.v1.Flow.$Properties|null);

                    /** Downlink bye */
                    bye?: (tidegate.device.v1.Bye.$Properties|null);

                    /** Downlink sayHello */
                    sayHello?: (tidegate.device.v1.SayHello.$Properties|null);

                    /** Downlink body */
                    body?: ("welcome"|"ack"|"nack"|"heartbeat"|"command"|"flow"|"bye"|"sayHello");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a Downlink. */
                type $Shape = {
                  welcome?: tidegate.device.v1.Welcome.$Shape|null;
                  ack?: tidegate.device.v1.Ack.$Shape|null;
                  nack?: tidegate.device.v1.Nack.$Shape|null;
                  heartbeat?: tidegate.device.v1.Heartbeat.$Shape|null;
                  command?: tidegate.device.v1.Command.$Shape|null;
                  flow?: tidegate.device.v1.Flow.$Shape|null;
                  bye?: tidegate.device.v1.Bye.$Shape|null;
                  sayHello?: tidegate.device.v1.SayHello.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; welcome?: null; ack?: null; nack?: null; heartbeat?: null; command?: null; flow?: null; bye?: null; sayHello?: null }|{ body?: "welcome"; welcome: tidegate.device.v1.Welcome.$Shape; ack?: null; nack?: null; heartbeat?: null; command?: null; flow?: null; bye?: null; sayHello?: null }|{ body?: "ack"; welcome?: null; ack: tidegate.device.v1.Ack.$Shape; nack?: null; heartbeat?: null; command?: null; flow?: null; bye?: null; sayHello?: null }|{ body?: "nack"; welcome?: null; ack?: null; nack: tidegate.device.v1.Nack.$Shape; heartbeat?: null; command?: null; flow?: null; bye?: null; sayHello?: null }|{ body?: "heartbeat"; welcome?: null; ack?: null; nack?: null; heartbeat: tidegate.device.v1.Heartbeat.$Shape; command?: null; flow?: null; bye?: null; sayHello?: null }|{ body?: "command"; welcome?: null; ack?: null; nack?: null; heartbeat?: null; command: tidegate.device.v1.Command.$Shape; flow?: null; bye?: null; sayHello?: null }|{ body?: "flow"; welcome?: null; ack?: null; nack?: null; heartbeat?: null; command?: null; flow: tidegate.device.v1.Flow.$Shape; bye?: null; sayHello?: null }|{ body?: "bye"; welcome?: null; ack?: null; nack?: null; heartbeat?: null; command?: null; flow?: null; bye: tidegate.device.v1.Bye.$Shape; sayHello?: null }|{ body?: "sayHello"; welcome?: null; ack?: null; nack?: null; heartbeat?: null; command?: null; flow?: null; bye?: null; sayHello: tidegate.device.v1.SayHello.$Shape })
                );
            }

            /**
             * Properties of a Hello.
             * @deprecated Use tidegate.device.v1.Hello.$Properties instead.
             */
            interface IHello extends tidegate.device.v1.Hello.$Properties {
            }

            /** Represents a Hello. */
            class Hello {

                /**
                 * Constructs a new Hello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Hello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Hello protocol. */
                protocol: number;

                /** Hello deviceId. */
                deviceId: string;

                /** Hello bootNonce. */
                bootNonce: number;

                /** Hello attempt. */
                attempt: number;

                /** Hello epoch. */
                epoch: number;

                /** Hello nextSeq. */
                nextSeq: number;

                /** Hello oldest. */
                oldest: number;

                /** Hello ackedSeq. */
                ackedSeq: number;

                /** Hello uptimeMs. */
                uptimeMs: number;

                /** Hello maxRxBytes. */
                maxRxBytes: number;

                /** Hello catalogHash. */
                catalogHash: number;

                /** Hello firmware. */
                firmware: string;

                /** Hello model. */
                model: string;

                /** Hello sleepMs. */
                sleepMs: number;

                /** Hello lastCommand. */
                lastCommand: number;

                /** Hello outboxFrames. */
                outboxFrames: number;

                /** Hello proof. */
                proof: Uint8Array;

                /** Hello closing. */
                closing: boolean;

                /**
                 * Encodes the specified Hello message. Does not implicitly {@link tidegate.device.v1.Hello.verify|verify} messages.
                 * @param message Hello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Hello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Hello & tidegate.device.v1.Hello.$Shape} Hello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Hello & tidegate.device.v1.Hello.$Shape;
            }

            namespace Hello {

                /** Properties of a Hello. */
                interface $Properties {

                    /** Hello protocol */
                    protocol?: (number|null);

                    /** Hello deviceId */
                    deviceId?: (string|null);

                    /** Hello bootNonce */
                    bootNonce?: (number|null);

                    /** Hello attempt */
                    attempt?: (number|null);

                    /** Hello epoch */
                    epoch?: (number|null);

                    /** Hello nextSeq */
                    nextSeq?: (number|null);

                    /** Hello oldest */
                    oldest?: (number|null);

                    /** Hello ackedSeq */
                    ackedSeq?: (number|null);

                    /** Hello uptimeMs */
                    uptimeMs?: (number|null);

                    /** Hello maxRxBytes */
                    maxRxBytes?: (number|null);

                    /** Hello catalogHash */
                    catalogHash?: (number|null);

                    /** Hello firmware */
                    firmware?: (string|null);

                    /** Hello model */
                    model?: (string|null);

                    /** Hello sleepMs */
                    sleepMs?: (number|null);

                    /** Hello lastCommand */
                    lastCommand?: (number|null);

                    /** Hello outboxFrames */
                    outboxFrames?: (number|null);

                    /** Hello proof */
                    proof?: (Uint8Array|null);

                    /** Hello closing */
                    closing?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Hello. */
                type $Shape = tidegate.device.v1.Hello.$Properties;
            }

            /**
             * Properties of a Welcome.
             * @deprecated Use tidegate.device.v1.Welcome.$Properties instead.
             */
            interface IWelcome extends tidegate.device.v1.Welcome.$Properties {
            }

            /** Represents a Welcome. */
            class Welcome {

                /**
                 * Constructs a new Welcome.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Welcome.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Welcome attempt. */
                attempt: number;

                /** Welcome bootNonce. */
                bootNonce: number;

                /** Welcome epoch. */
                epoch: number;

                /** Welcome ackedSeq. */
                ackedSeq: number;

                /** Welcome keepaliveMs. */
                keepaliveMs: number;

                /** Welcome window. */
                window: number;

                /** Welcome unixMs. */
                unixMs: number;

                /** Welcome wantCatalog. */
                wantCatalog: boolean;

                /** Welcome maxUplinkBytes. */
                maxUplinkBytes: number;

                /**
                 * Encodes the specified Welcome message. Does not implicitly {@link tidegate.device.v1.Welcome.verify|verify} messages.
                 * @param message Welcome message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Welcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Welcome message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Welcome & tidegate.device.v1.Welcome.$Shape} Welcome
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Welcome & tidegate.device.v1.Welcome.$Shape;
            }

            namespace Welcome {

                /** Properties of a Welcome. */
                interface $Properties {

                    /** Welcome attempt */
                    attempt?: (number|null);

                    /** Welcome bootNonce */
                    bootNonce?: (number|null);

                    /** Welcome epoch */
                    epoch?: (number|null);

                    /** Welcome ackedSeq */
                    ackedSeq?: (number|null);

                    /** Welcome keepaliveMs */
                    keepaliveMs?: (number|null);

                    /** Welcome window */
                    window?: (number|null);

                    /** Welcome unixMs */
                    unixMs?: (number|null);

                    /** Welcome wantCatalog */
                    wantCatalog?: (boolean|null);

                    /** Welcome maxUplinkBytes */
                    maxUplinkBytes?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Welcome. */
                type $Shape = tidegate.device.v1.Welcome.$Properties;
            }

            /**
             * Properties of a Heartbeat.
             * @deprecated Use tidegate.device.v1.Heartbeat.$Properties instead.
             */
            interface IHeartbeat extends tidegate.device.v1.Heartbeat.$Properties {
            }

            /** Represents a Heartbeat. */
            class Heartbeat {

                /**
                 * Constructs a new Heartbeat.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Heartbeat.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Heartbeat uptimeMs. */
                uptimeMs: number;

                /** Heartbeat unixMs. */
                unixMs: number;

                /** Heartbeat ping. */
                ping: number;

                /** Heartbeat nextSeq. */
                nextSeq: number;

                /** Heartbeat oldest. */
                oldest: number;

                /**
                 * Encodes the specified Heartbeat message. Does not implicitly {@link tidegate.device.v1.Heartbeat.verify|verify} messages.
                 * @param message Heartbeat message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Heartbeat.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Heartbeat message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Heartbeat & tidegate.device.v1.Heartbeat.$Shape} Heartbeat
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Heartbeat & tidegate.device.v1.Heartbeat.$Shape;
            }

            namespace Heartbeat {

                /** Properties of a Heartbeat. */
                interface $Properties {

                    /** Heartbeat uptimeMs */
                    uptimeMs?: (number|null);

                    /** Heartbeat unixMs */
                    unixMs?: (number|null);

                    /** Heartbeat ping */
                    ping?: (number|null);

                    /** Heartbeat nextSeq */
                    nextSeq?: (number|null);

                    /** Heartbeat oldest */
                    oldest?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Heartbeat. */
                type $Shape = tidegate.device.v1.Heartbeat.$Properties;
            }

            /**
             * Properties of an Ack.
             * @deprecated Use tidegate.device.v1.Ack.$Properties instead.
             */
            interface IAck extends tidegate.device.v1.Ack.$Properties {
            }

            /** Represents an Ack. */
            class Ack {

                /**
                 * Constructs a new Ack.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Ack.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Ack seq. */
                seq: number;

                /**
                 * Encodes the specified Ack message. Does not implicitly {@link tidegate.device.v1.Ack.verify|verify} messages.
                 * @param message Ack message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Ack.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Ack message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Ack & tidegate.device.v1.Ack.$Shape} Ack
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Ack & tidegate.device.v1.Ack.$Shape;
            }

            namespace Ack {

                /** Properties of an Ack. */
                interface $Properties {

                    /** Ack seq */
                    seq?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Ack. */
                type $Shape = tidegate.device.v1.Ack.$Properties;
            }

            /**
             * Properties of a Nack.
             * @deprecated Use tidegate.device.v1.Nack.$Properties instead.
             */
            interface INack extends tidegate.device.v1.Nack.$Properties {
            }

            /** Represents a Nack. */
            class Nack {

                /**
                 * Constructs a new Nack.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Nack.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Nack expected. */
                expected: number;

                /** Nack reason. */
                reason: tidegate.device.v1.Reason;

                /** Nack retryAfterMs. */
                retryAfterMs: number;

                /**
                 * Encodes the specified Nack message. Does not implicitly {@link tidegate.device.v1.Nack.verify|verify} messages.
                 * @param message Nack message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Nack.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Nack message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Nack & tidegate.device.v1.Nack.$Shape} Nack
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Nack & tidegate.device.v1.Nack.$Shape;
            }

            namespace Nack {

                /** Properties of a Nack. */
                interface $Properties {

                    /** Nack expected */
                    expected?: (number|null);

                    /** Nack reason */
                    reason?: (tidegate.device.v1.Reason|null);

                    /** Nack retryAfterMs */
                    retryAfterMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Nack. */
                type $Shape = tidegate.device.v1.Nack.$Properties;
            }

            /**
             * Properties of a Flow.
             * @deprecated Use tidegate.device.v1.Flow.$Properties instead.
             */
            interface IFlow extends tidegate.device.v1.Flow.$Properties {
            }

            /** Represents a Flow. */
            class Flow {

                /**
                 * Constructs a new Flow.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Flow.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Flow window. */
                window: number;

                /**
                 * Encodes the specified Flow message. Does not implicitly {@link tidegate.device.v1.Flow.verify|verify} messages.
                 * @param message Flow message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Flow.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Flow message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Flow & tidegate.device.v1.Flow.$Shape} Flow
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Flow & tidegate.device.v1.Flow.$Shape;
            }

            namespace Flow {

                /** Properties of a Flow. */
                interface $Properties {

                    /** Flow window */
                    window?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Flow. */
                type $Shape = tidegate.device.v1.Flow.$Properties;
            }

            /**
             * Properties of a Bye.
             * @deprecated Use tidegate.device.v1.Bye.$Properties instead.
             */
            interface IBye extends tidegate.device.v1.Bye.$Properties {
            }

            /** Represents a Bye. */
            class Bye {

                /**
                 * Constructs a new Bye.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Bye.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Bye reason. */
                reason: tidegate.device.v1.Reason;

                /** Bye retryAfterMs. */
                retryAfterMs: number;

                /** Bye detail. */
                detail: string;

                /**
                 * Encodes the specified Bye message. Does not implicitly {@link tidegate.device.v1.Bye.verify|verify} messages.
                 * @param message Bye message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Bye.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Bye message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Bye & tidegate.device.v1.Bye.$Shape} Bye
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Bye & tidegate.device.v1.Bye.$Shape;
            }

            namespace Bye {

                /** Properties of a Bye. */
                interface $Properties {

                    /** Bye reason */
                    reason?: (tidegate.device.v1.Reason|null);

                    /** Bye retryAfterMs */
                    retryAfterMs?: (number|null);

                    /** Bye detail */
                    detail?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Bye. */
                type $Shape = tidegate.device.v1.Bye.$Properties;
            }

            /**
             * Properties of a SayHello.
             * @deprecated Use tidegate.device.v1.SayHello.$Properties instead.
             */
            interface ISayHello extends tidegate.device.v1.SayHello.$Properties {
            }

            /** Represents a SayHello. */
            class SayHello {

                /**
                 * Constructs a new SayHello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.SayHello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified SayHello message. Does not implicitly {@link tidegate.device.v1.SayHello.verify|verify} messages.
                 * @param message SayHello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.SayHello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SayHello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.SayHello & tidegate.device.v1.SayHello.$Shape} SayHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.SayHello & tidegate.device.v1.SayHello.$Shape;
            }

            namespace SayHello {

                /** Properties of a SayHello. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SayHello. */
                type $Shape = tidegate.device.v1.SayHello.$Properties;
            }

            /**
             * Properties of a Log.
             * @deprecated Use tidegate.device.v1.Log.$Properties instead.
             */
            interface ILog extends tidegate.device.v1.Log.$Properties {
            }

            /** Represents a Log. */
            class Log {

                /**
                 * Constructs a new Log.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Log.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Log uptimeMs. */
                uptimeMs: number;

                /** Log level. */
                level: number;

                /** Log text. */
                text: string;

                /**
                 * Encodes the specified Log message. Does not implicitly {@link tidegate.device.v1.Log.verify|verify} messages.
                 * @param message Log message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Log.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Log message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Log & tidegate.device.v1.Log.$Shape} Log
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Log & tidegate.device.v1.Log.$Shape;
            }

            namespace Log {

                /** Properties of a Log. */
                interface $Properties {

                    /** Log uptimeMs */
                    uptimeMs?: (number|null);

                    /** Log level */
                    level?: (number|null);

                    /** Log text */
                    text?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Log. */
                type $Shape = tidegate.device.v1.Log.$Properties;
            }

            /**
             * Properties of a Telemetry.
             * @deprecated Use tidegate.device.v1.Telemetry.$Properties instead.
             */
            interface ITelemetry extends tidegate.device.v1.Telemetry.$Properties {
            }

            /** Represents a Telemetry. */
            class Telemetry {

                /**
                 * Constructs a new Telemetry.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Telemetry.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Telemetry uptimeMs. */
                uptimeMs?: (number|null);

                /** Telemetry unixMs. */
                unixMs?: (number|null);

                /** Telemetry series. */
                series: tidegate.device.v1.Series.$Properties[];

                /** Telemetry bootNonce. */
                bootNonce: number;

                /** Telemetry base. */
                base?: ("uptimeMs"|"unixMs");

                /**
                 * Encodes the specified Telemetry message. Does not implicitly {@link tidegate.device.v1.Telemetry.verify|verify} messages.
                 * @param message Telemetry message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Telemetry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Telemetry message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Telemetry & tidegate.device.v1.Telemetry.$Shape} Telemetry
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Telemetry & tidegate.device.v1.Telemetry.$Shape;
            }

            namespace Telemetry {

                /** Properties of a Telemetry. */
                interface $Properties {

                    /** Telemetry uptimeMs */
                    uptimeMs?: (number|null);

                    /** Telemetry unixMs */
                    unixMs?: (number|null);

                    /** Telemetry series */
                    series?: (tidegate.device.v1.Series.$Properties[]|null);

                    /** Telemetry bootNonce */
                    bootNonce?: (number|null);

                    /** Telemetry base */
                    base?: ("uptimeMs"|"unixMs");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a Telemetry. */
                type $Shape = {
                  uptimeMs?: number|null;
                  unixMs?: number|null;
                  series?: tidegate.device.v1.Series.$Shape[]|null;
                  bootNonce?: number|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ base?: undefined; uptimeMs?: null; unixMs?: null }|{ base?: "uptimeMs"; uptimeMs: number; unixMs?: null }|{ base?: "unixMs"; uptimeMs?: null; unixMs: number })
                );
            }

            /**
             * Properties of a Series.
             * @deprecated Use tidegate.device.v1.Series.$Properties instead.
             */
            interface ISeries extends tidegate.device.v1.Series.$Properties {
            }

            /** Represents a Series. */
            class Series {

                /**
                 * Constructs a new Series.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Series.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Series signal. */
                signal: number;

                /** Series dtMs. */
                dtMs: number[];

                /** Series periodUs. */
                periodUs: number;

                /** Series quality. */
                quality: number;

                /** Series ints. */
                ints: number[];

                /** Series floats. */
                floats: number[];

                /** Series doubles. */
                doubles: number[];

                /** Series longs. */
                longs: number[];

                /** Series texts. */
                texts: string[];

                /** Series blobs. */
                blobs: Uint8Array[];

                /**
                 * Encodes the specified Series message. Does not implicitly {@link tidegate.device.v1.Series.verify|verify} messages.
                 * @param message Series message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Series.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Series message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Series & tidegate.device.v1.Series.$Shape} Series
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Series & tidegate.device.v1.Series.$Shape;
            }

            namespace Series {

                /** Properties of a Series. */
                interface $Properties {

                    /** Series signal */
                    signal?: (number|null);

                    /** Series dtMs */
                    dtMs?: (number[]|null);

                    /** Series periodUs */
                    periodUs?: (number|null);

                    /** Series quality */
                    quality?: (number|null);

                    /** Series ints */
                    ints?: (number[]|null);

                    /** Series floats */
                    floats?: (number[]|null);

                    /** Series doubles */
                    doubles?: (number[]|null);

                    /** Series longs */
                    longs?: (number[]|null);

                    /** Series texts */
                    texts?: (string[]|null);

                    /** Series blobs */
                    blobs?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Series. */
                type $Shape = tidegate.device.v1.Series.$Properties;
            }

            /**
             * Properties of a Catalog.
             * @deprecated Use tidegate.device.v1.Catalog.$Properties instead.
             */
            interface ICatalog extends tidegate.device.v1.Catalog.$Properties {
            }

            /** Represents a Catalog. */
            class Catalog {

                /**
                 * Constructs a new Catalog.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Catalog.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Catalog hash. */
                hash: number;

                /** Catalog part. */
                part: number;

                /** Catalog parts. */
                parts: number;

                /** Catalog signals. */
                signals: tidegate.device.v1.Signal.$Properties[];

                /** Catalog commands. */
                commands: tidegate.device.v1.CommandSpec.$Properties[];

                /**
                 * Encodes the specified Catalog message. Does not implicitly {@link tidegate.device.v1.Catalog.verify|verify} messages.
                 * @param message Catalog message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Catalog.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Catalog message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Catalog & tidegate.device.v1.Catalog.$Shape} Catalog
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Catalog & tidegate.device.v1.Catalog.$Shape;
            }

            namespace Catalog {

                /** Properties of a Catalog. */
                interface $Properties {

                    /** Catalog hash */
                    hash?: (number|null);

                    /** Catalog part */
                    part?: (number|null);

                    /** Catalog parts */
                    parts?: (number|null);

                    /** Catalog signals */
                    signals?: (tidegate.device.v1.Signal.$Properties[]|null);

                    /** Catalog commands */
                    commands?: (tidegate.device.v1.CommandSpec.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Catalog. */
                type $Shape = tidegate.device.v1.Catalog.$Properties;
            }

            /**
             * Properties of a Signal.
             * @deprecated Use tidegate.device.v1.Signal.$Properties instead.
             */
            interface ISignal extends tidegate.device.v1.Signal.$Properties {
            }

            /** Represents a Signal. */
            class Signal {

                /**
                 * Constructs a new Signal.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Signal.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Signal id. */
                id: number;

                /** Signal key. */
                key: string;

                /** Signal name. */
                name: string;

                /** Signal type. */
                type: tidegate.device.v1.Type;

                /** Signal unit. */
                unit: string;

                /** Signal deviceClass. */
                deviceClass: string;

                /** Signal kind. */
                kind: tidegate.device.v1.Kind;

                /** Signal scale. */
                scale: number;

                /** Signal intervalMs. */
                intervalMs: number;

                /** Signal min. */
                min: number;

                /** Signal max. */
                max: number;

                /** Signal options. */
                options: string[];

                /**
                 * Encodes the specified Signal message. Does not implicitly {@link tidegate.device.v1.Signal.verify|verify} messages.
                 * @param message Signal message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Signal.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Signal message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Signal & tidegate.device.v1.Signal.$Shape} Signal
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Signal & tidegate.device.v1.Signal.$Shape;
            }

            namespace Signal {

                /** Properties of a Signal. */
                interface $Properties {

                    /** Signal id */
                    id?: (number|null);

                    /** Signal key */
                    key?: (string|null);

                    /** Signal name */
                    name?: (string|null);

                    /** Signal type */
                    type?: (tidegate.device.v1.Type|null);

                    /** Signal unit */
                    unit?: (string|null);

                    /** Signal deviceClass */
                    deviceClass?: (string|null);

                    /** Signal kind */
                    kind?: (tidegate.device.v1.Kind|null);

                    /** Signal scale */
                    scale?: (number|null);

                    /** Signal intervalMs */
                    intervalMs?: (number|null);

                    /** Signal min */
                    min?: (number|null);

                    /** Signal max */
                    max?: (number|null);

                    /** Signal options */
                    options?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Signal. */
                type $Shape = tidegate.device.v1.Signal.$Properties;
            }

            /**
             * Properties of a CommandSpec.
             * @deprecated Use tidegate.device.v1.CommandSpec.$Properties instead.
             */
            interface ICommandSpec extends tidegate.device.v1.CommandSpec.$Properties {
            }

            /** Represents a CommandSpec. */
            class CommandSpec {

                /**
                 * Constructs a new CommandSpec.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.CommandSpec.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CommandSpec code. */
                code: number;

                /** CommandSpec name. */
                name: string;

                /** CommandSpec atMostOnce. */
                atMostOnce: boolean;

                /** CommandSpec argsHint. */
                argsHint: string;

                /**
                 * Encodes the specified CommandSpec message. Does not implicitly {@link tidegate.device.v1.CommandSpec.verify|verify} messages.
                 * @param message CommandSpec message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.CommandSpec.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommandSpec message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.CommandSpec & tidegate.device.v1.CommandSpec.$Shape} CommandSpec
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.CommandSpec & tidegate.device.v1.CommandSpec.$Shape;
            }

            namespace CommandSpec {

                /** Properties of a CommandSpec. */
                interface $Properties {

                    /** CommandSpec code */
                    code?: (number|null);

                    /** CommandSpec name */
                    name?: (string|null);

                    /** CommandSpec atMostOnce */
                    atMostOnce?: (boolean|null);

                    /** CommandSpec argsHint */
                    argsHint?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommandSpec. */
                type $Shape = tidegate.device.v1.CommandSpec.$Properties;
            }

            /**
             * Properties of a Command.
             * @deprecated Use tidegate.device.v1.Command.$Properties instead.
             */
            interface ICommand extends tidegate.device.v1.Command.$Properties {
            }

            /** Represents a Command. */
            class Command {

                /**
                 * Constructs a new Command.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.Command.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Command id. */
                id: number;

                /** Command code. */
                code: number;

                /** Command name. */
                name: string;

                /** Command args. */
                args: Uint8Array;

                /** Command deadlineUptimeMs. */
                deadlineUptimeMs: number;

                /** Command atMostOnce. */
                atMostOnce: boolean;

                /**
                 * Encodes the specified Command message. Does not implicitly {@link tidegate.device.v1.Command.verify|verify} messages.
                 * @param message Command message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.Command.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Command message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.Command & tidegate.device.v1.Command.$Shape} Command
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.Command & tidegate.device.v1.Command.$Shape;
            }

            namespace Command {

                /** Properties of a Command. */
                interface $Properties {

                    /** Command id */
                    id?: (number|null);

                    /** Command code */
                    code?: (number|null);

                    /** Command name */
                    name?: (string|null);

                    /** Command args */
                    args?: (Uint8Array|null);

                    /** Command deadlineUptimeMs */
                    deadlineUptimeMs?: (number|null);

                    /** Command atMostOnce */
                    atMostOnce?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Command. */
                type $Shape = tidegate.device.v1.Command.$Properties;
            }

            /**
             * Properties of a CommandUpdate.
             * @deprecated Use tidegate.device.v1.CommandUpdate.$Properties instead.
             */
            interface ICommandUpdate extends tidegate.device.v1.CommandUpdate.$Properties {
            }

            /** Represents a CommandUpdate. */
            class CommandUpdate {

                /**
                 * Constructs a new CommandUpdate.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: tidegate.device.v1.CommandUpdate.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CommandUpdate id. */
                id: number;

                /** CommandUpdate state. */
                state: tidegate.device.v1.CommandState;

                /** CommandUpdate result. */
                result: Uint8Array;

                /** CommandUpdate error. */
                error: string;

                /**
                 * Encodes the specified CommandUpdate message. Does not implicitly {@link tidegate.device.v1.CommandUpdate.verify|verify} messages.
                 * @param message CommandUpdate message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: tidegate.device.v1.CommandUpdate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CommandUpdate message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {tidegate.device.v1.CommandUpdate & tidegate.device.v1.CommandUpdate.$Shape} CommandUpdate
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): tidegate.device.v1.CommandUpdate & tidegate.device.v1.CommandUpdate.$Shape;
            }

            namespace CommandUpdate {

                /** Properties of a CommandUpdate. */
                interface $Properties {

                    /** CommandUpdate id */
                    id?: (number|null);

                    /** CommandUpdate state */
                    state?: (tidegate.device.v1.CommandState|null);

                    /** CommandUpdate result */
                    result?: (Uint8Array|null);

                    /** CommandUpdate error */
                    error?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CommandUpdate. */
                type $Shape = tidegate.device.v1.CommandUpdate.$Properties;
            }

            /** Reason enum. */
            enum Reason {

                /** REASON_UNSPECIFIED value */
                REASON_UNSPECIFIED = 0,

                /** REASON_SHUTDOWN value */
                REASON_SHUTDOWN = 1,

                /** REASON_TAKEOVER value */
                REASON_TAKEOVER = 2,

                /** REASON_BAD_CREDENTIAL value */
                REASON_BAD_CREDENTIAL = 3,

                /** REASON_REVOKED value */
                REASON_REVOKED = 4,

                /** REASON_UNSUPPORTED_PROTOCOL value */
                REASON_UNSUPPORTED_PROTOCOL = 5,

                /** REASON_PROTOCOL_VIOLATION value */
                REASON_PROTOCOL_VIOLATION = 6,

                /** REASON_MALFORMED value */
                REASON_MALFORMED = 7,

                /** REASON_TOO_LARGE value */
                REASON_TOO_LARGE = 8,

                /** REASON_SILENT value */
                REASON_SILENT = 9,

                /** REASON_HELLO_TIMEOUT value */
                REASON_HELLO_TIMEOUT = 10,

                /** REASON_OVERLOADED value */
                REASON_OVERLOADED = 11,

                /** REASON_RATE_LIMITED value */
                REASON_RATE_LIMITED = 12,

                /** REASON_CLONED_IDENTITY value */
                REASON_CLONED_IDENTITY = 13,

                /** REASON_OUT_OF_ORDER value */
                REASON_OUT_OF_ORDER = 14,

                /** REASON_STORAGE_FULL value */
                REASON_STORAGE_FULL = 15,

                /** REASON_STORAGE_BUSY value */
                REASON_STORAGE_BUSY = 16,

                /** REASON_INTERNAL value */
                REASON_INTERNAL = 17,

                /** REASON_SLEEPING value */
                REASON_SLEEPING = 18
            }

            /** Type enum. */
            enum Type {

                /** TYPE_UNSPECIFIED value */
                TYPE_UNSPECIFIED = 0,

                /** TYPE_BOOL value */
                TYPE_BOOL = 1,

                /** TYPE_INT value */
                TYPE_INT = 2,

                /** TYPE_LONG value */
                TYPE_LONG = 3,

                /** TYPE_FLOAT value */
                TYPE_FLOAT = 4,

                /** TYPE_DOUBLE value */
                TYPE_DOUBLE = 5,

                /** TYPE_TEXT value */
                TYPE_TEXT = 6,

                /** TYPE_ENUM value */
                TYPE_ENUM = 7,

                /** TYPE_BLOB value */
                TYPE_BLOB = 8
            }

            /** Kind enum. */
            enum Kind {

                /** KIND_UNSPECIFIED value */
                KIND_UNSPECIFIED = 0,

                /** KIND_MEASUREMENT value */
                KIND_MEASUREMENT = 1,

                /** KIND_TOTAL value */
                KIND_TOTAL = 2,

                /** KIND_TOTAL_INCREASING value */
                KIND_TOTAL_INCREASING = 3,

                /** KIND_STATE value */
                KIND_STATE = 4,

                /** KIND_EVENT value */
                KIND_EVENT = 5,

                /** KIND_SETPOINT value */
                KIND_SETPOINT = 6
            }

            /** CommandState enum. */
            enum CommandState {

                /** COMMAND_STATE_UNSPECIFIED value */
                COMMAND_STATE_UNSPECIFIED = 0,

                /** COMMAND_STATE_RECEIVED value */
                COMMAND_STATE_RECEIVED = 1,

                /** COMMAND_STATE_STARTED value */
                COMMAND_STATE_STARTED = 2,

                /** COMMAND_STATE_SUCCEEDED value */
                COMMAND_STATE_SUCCEEDED = 3,

                /** COMMAND_STATE_FAILED value */
                COMMAND_STATE_FAILED = 4,

                /** COMMAND_STATE_EXPIRED value */
                COMMAND_STATE_EXPIRED = 5,

                /** COMMAND_STATE_UNSUPPORTED value */
                COMMAND_STATE_UNSUPPORTED = 6,

                /** COMMAND_STATE_INTERRUPTED value */
                COMMAND_STATE_INTERRUPTED = 7
            }
        }
    }
}
