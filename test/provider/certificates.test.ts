import { deepEqual, equal, ok } from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isLeaf, newAuthority, newLeaf } from "../../provider/certificates";
import type { Authority } from "../../provider/inputs";

const day = 24 * 60 * 60 * 1000;

describe("certificates", () => {
  let authority: Authority;
  let other: Authority;
  let leaf: { certificate: string; key: string };
  before(async () => {
    [authority, other] = await Promise.all([newAuthority("orders"), newAuthority("orders")]);
    leaf = await newLeaf(authority, "orders-1", "198.18.0.11");
  });

  it("an authority signs itself and may sign leaves only", () => {
    const ca = new X509Certificate(authority.certificate);
    ok(ca.ca && ca.verify(ca.publicKey) && ca.checkIssued(ca));
    equal(ca.subject, "CN=orders authority");
    ok(ca.checkPrivateKey(createPrivateKey(authority.key)));
  });

  it("a leaf is issued by its authority and by no other of the same name", () => {
    const certificate = new X509Certificate(leaf.certificate);
    ok(certificate.checkIssued(new X509Certificate(authority.certificate)));
    ok(certificate.verify(new X509Certificate(authority.certificate).publicKey));
    ok(!certificate.verify(new X509Certificate(other.certificate).publicKey));
    ok(certificate.checkPrivateKey(createPrivateKey(leaf.key)));
  });

  it("a leaf is no authority, and serves both ends of a connection", () => {
    const certificate = new X509Certificate(leaf.certificate);
    equal(certificate.ca, false);
    deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  it("a leaf names its member, its address, and the guest itself", () => {
    const certificate = new X509Certificate(leaf.certificate);
    deepEqual([certificate.checkHost("orders-1"), certificate.checkHost("localhost"), certificate.checkIP("198.18.0.11"), certificate.checkIP("127.0.0.1")],
      ["orders-1", "localhost", "198.18.0.11", "127.0.0.1"]);
    equal(certificate.checkHost("orders-2"), undefined);
    equal(certificate.checkIP("198.18.0.12"), undefined);
  });

  it("both hold now, also on a guest whose clock is a little behind, and for years", () => {
    for (const text of [authority.certificate, leaf.certificate]) {
      const { validFrom, validTo } = new X509Certificate(text);
      ok(Date.parse(validFrom) < Date.now() - day / 2);
      ok(Date.parse(validTo) > Date.now() + 9 * 365 * day);
    }
  });

  it("serial numbers are positive and never the same", async () => {
    const serials = (await Promise.all([1, 2, 3].map(() => newLeaf(authority, "orders-1", "198.18.0.11")))).map(({ certificate }) => new X509Certificate(certificate).serialNumber);
    equal(new Set(serials).size, 3);
    ok(serials.every((serial) => !serial.startsWith("-") && serial.length <= 40));
  });

  it("a leaf is known as such", async () => equal(await isLeaf(leaf.certificate, authority, "orders-1", "198.18.0.11"), true));

  it("a leaf of another authority, name or address is none, nor is any other text", async () => {
    equal(await isLeaf(leaf.certificate, other, "orders-1", "198.18.0.11"), false);
    equal(await isLeaf(leaf.certificate, authority, "orders-2", "198.18.0.11"), false);
    equal(await isLeaf(leaf.certificate, authority, "orders-1", "198.18.0.12"), false);
    equal(await isLeaf("", authority, "orders-1", "198.18.0.11"), false);
    equal(await isLeaf(authority.certificate, authority, "orders-1", "198.18.0.11"), false);
  });

  it("a leaf that ends within a year is made anew", async () => {
    const now = Date.now;
    const made = async (yearsAgo: number) => {
      Date.now = () => now() - yearsAgo * 365 * day;
      try {
        return await newLeaf(authority, "orders-1", "198.18.0.11");
      } finally {
        Date.now = now;
      }
    };
    equal(await isLeaf((await made(8.9)).certificate, authority, "orders-1", "198.18.0.11"), true);
    equal(await isLeaf((await made(9.1)).certificate, authority, "orders-1", "198.18.0.11"), false);
  });
});
